// The segment files that are open for reading: a few, closed when their segment goes, but never under a read.
import { join } from 'node:path'
import type { File, Files } from '../files.ts'
import { segmentFileName } from './format.ts'

const OPEN_MAX = 16

interface Handle {
  readonly file: File
  users: number
  unwanted: boolean
}

export class ReadFiles {
  readonly #files: Files
  readonly #folder: string
  readonly #handles = new Map<number, Handle>()

  constructor(files: Files, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  path(number: number): string {
    return join(this.#folder, segmentFileName(number))
  }

  async read(number: number, into: Buffer, offset: number): Promise<number> {
    const handle = this.#handle(number)
    handle.users++
    try {
      return await handle.file.readLater(into, 0, into.length, offset)
    } finally {
      handle.users--
      if (handle.unwanted && handle.users === 0) handle.file.close()
    }
  }

  /** Bytes of the file, or 0 when there is none: the writer may just be making or recycling it. */
  size(number: number): number {
    const known = this.#handles.get(number)
    if (known !== undefined) return known.file.size()
    let file: File
    try {
      file = this.#files.open(this.path(number), 'read')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
      throw error
    }
    try {
      return file.size()
    } finally {
      file.close()
    }
  }

  drop(number: number): void {
    const handle = this.#handles.get(number)
    if (handle === undefined) return
    this.#handles.delete(number)
    handle.unwanted = true
    if (handle.users === 0) handle.file.close()
  }

  close(): void {
    for (const number of [...this.#handles.keys()]) this.drop(number)
  }

  #handle(number: number): Handle {
    const known = this.#handles.get(number)
    if (known !== undefined) return known
    const [oldest] = this.#handles.keys()
    if (oldest !== undefined && this.#handles.size >= OPEN_MAX) this.drop(oldest)
    const handle = { file: this.#files.open(this.path(number), 'read'), users: 0, unwanted: false }
    this.#handles.set(number, handle)
    return handle
  }
}

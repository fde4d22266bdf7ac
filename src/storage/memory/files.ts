// Files in memory: the store of `serve --dev`, and, with `simulate`, a volume that forgets what was not flushed, as a power cut does.
// The simulated device writes sectors of 512 bytes atomically and in any order; names (creations, renames, removals) reach it in
// the order they were made. A crash keeps or loses each unflushed sector by itself, and a first part of the unflushed names.
import { basename, dirname } from 'node:path'
import { assert } from '../../base/assert.ts'
import type { Random } from '../../base/random.ts'
import type { File, Files } from '../files.ts'

const SECTOR_BYTES = 512

export interface MemoryFilesOptions {
  /** Bytes of all files together; writes beyond get ENOSPC. */
  readonly capacityBytes?: number
  /** Keeps what is needed for `crash`; without it nothing is ever lost and no fault is injected. */
  readonly simulate?: boolean
}

/** One call that changes the volume, or flushes. */
export interface FileCall {
  /** Counts from 1 since the volume was made. */
  readonly number: number
  readonly name: 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncFolder'
  readonly path: string
}

/**
 * What happens instead: `ENOSPC` is thrown; `EIO` is thrown, though the call may have had its effect on the device; `short` writes about
 * half; `cut` is the power going off in the middle of the call: it and every later one throw until `crash` or `restart`.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'short' | 'cut'

export interface MemoryFiles extends Files {
  /** Asked at each call of a simulated volume; undefined lets it succeed. */
  fault: ((call: FileCall) => Fault | undefined) | undefined
  /** Calls so far, for scripts that aim at the n-th. */
  readonly calls: number
  /** The power goes off and on: everything becomes what could be on the device. Files opened before are closed. */
  crash(random: Random): void
  /** Only the process dies and starts again: nothing is lost, and nothing more has reached the device. Files opened before are closed. */
  restart(): void
  /** Turns one bit over, on the device. */
  flip(path: string, bitOffset: number): void
}

export class PowerCut extends Error {
  override name = 'PowerCut'
  readonly code = 'EIO'
}

interface Node {
  bytes: Buffer
  length: number
  /** What the device has, where that differs: the sectors since the last flush, and the length then. */
  readonly stable: Map<number, Buffer>
  stableLength: number
}

interface NameChange {
  readonly folder: string
  apply(names: Map<string, Node>): void
}

export function memoryFiles(options: MemoryFilesOptions = {}): MemoryFiles {
  return new MemoryVolume(options)
}

class MemoryVolume implements MemoryFiles {
  fault: ((call: FileCall) => Fault | undefined) | undefined
  readonly #capacityBytes: number
  readonly #simulate: boolean
  readonly #folders = new Set(['/', '.'])
  #names = new Map<string, Node>()
  #stableNames = new Map<string, Node>()
  #pendingNames: NameChange[] = []
  #used = 0
  #calls = 0
  #power = true
  #life = 0

  constructor({ capacityBytes = Infinity, simulate = false }: MemoryFilesOptions) {
    this.#capacityBytes = capacityBytes
    this.#simulate = simulate
  }

  get calls(): number {
    return this.#calls
  }

  open(path: string, mode: 'read' | 'create' | 'write', options?: { readonly durable?: boolean }): File {
    this.#powered()
    if (mode === 'create') {
      if (this.#names.has(path)) throw systemError('EEXIST', 'open', path)
      if (!this.#folders.has(dirname(path))) throw systemError('ENOENT', 'open', path)
      const fault = this.#call('create', path)
      const node: Node = { bytes: Buffer.alloc(0), length: 0, stable: new Map(), stableLength: 0 }
      if (fault === 'ENOSPC') throw systemError('ENOSPC', 'open', path)
      this.#name(dirname(path), (names) => names.set(path, node))
      this.#rest(fault, 'open', path)
    }
    const node = this.#names.get(path)
    if (node === undefined) throw systemError('ENOENT', 'open', path)
    return this.#file(node, path, mode !== 'read', options?.durable === true)
  }

  exists(path: string): boolean {
    this.#powered()
    return this.#names.has(path) || this.#folders.has(path)
  }

  list(folder: string): string[] {
    this.#powered()
    if (!this.#folders.has(folder)) throw systemError('ENOENT', 'scandir', folder)
    return [...this.#names.keys(), ...this.#folders]
      .filter((path) => dirname(path) === folder && path !== folder)
      .map((path) => basename(path))
      .sort()
  }

  makeFolder(path: string): void {
    this.#powered()
    // The root of a path is its own parent.
    for (let at = path; !this.#folders.has(at); at = dirname(at)) this.#folders.add(at)
  }

  rename(from: string, to: string): void {
    this.#powered()
    const node = this.#names.get(from)
    if (node === undefined || !this.#folders.has(dirname(to))) throw systemError('ENOENT', 'rename', from)
    const fault = this.#call('rename', from)
    if (fault === 'ENOSPC') throw systemError('ENOSPC', 'rename', from)
    const replaced = this.#names.get(to)
    if (replaced !== undefined && replaced !== node) this.#used -= replaced.length
    this.#name(dirname(to), (names) => {
      names.delete(from)
      names.set(to, node)
    })
    this.#rest(fault, 'rename', from)
  }

  remove(path: string): void {
    this.#powered()
    const node = this.#names.get(path)
    if (node === undefined) throw systemError('ENOENT', 'unlink', path)
    const fault = this.#call('remove', path)
    this.#used -= node.length
    this.#name(dirname(path), (names) => names.delete(path))
    this.#rest(fault, 'unlink', path)
  }

  syncFolder(path: string): void {
    this.#powered()
    if (!this.#folders.has(path)) throw systemError('ENOENT', 'open', path)
    this.#rest(this.#call('syncFolder', path), 'fsync', path)
    if (this.#pendingNames.length === 0) return
    for (const change of this.#pendingNames) if (change.folder === path) change.apply(this.#stableNames)
    this.#pendingNames = this.#pendingNames.filter((change) => change.folder !== path)
  }

  free(): number {
    return Math.max(0, this.#capacityBytes - this.#used)
  }

  async syncFolderLater(path: string): Promise<void> {
    await nextTurn()
    this.syncFolder(path)
  }

  crash(random: Random): void {
    assert(this.#simulate, 'a volume made with `simulate` before it crashes')
    const reached = random.below(this.#pendingNames.length + 1)
    for (const change of this.#pendingNames.slice(0, reached)) change.apply(this.#stableNames)
    this.#pendingNames = []
    this.#names = new Map(this.#stableNames)
    this.#used = 0
    for (const node of this.#names.values()) {
      settleNode(node, random)
      this.#used += node.length
    }
    this.restart()
  }

  restart(): void {
    this.#life++
    this.#power = true
  }

  flip(path: string, bitOffset: number): void {
    const node = this.#names.get(path)
    const at = Math.floor(bitOffset / 8)
    if (node === undefined || at >= node.length) throw systemError('ENOENT', 'flip', path)
    const mask = 1 << (bitOffset % 8)
    node.bytes[at] = (node.bytes[at] ?? 0) ^ mask
    const sector = node.stable.get(Math.floor(at / SECTOR_BYTES))
    if (sector !== undefined) sector[at % SECTOR_BYTES] = (sector[at % SECTOR_BYTES] ?? 0) ^ mask
  }

  #file(node: Node, path: string, writable: boolean, durable: boolean): File {
    const life = this.#life
    let open = true
    const check = (): void => {
      this.#powered()
      if (!open || life !== this.#life) throw systemError('EBADF', 'use', path)
    }
    const read = (into: Uint8Array, offset: number, length: number, position: number): number => {
      check()
      const bytes = Math.max(0, Math.min(length, node.length - position))
      if (bytes > 0) into.set(node.bytes.subarray(position, position + bytes), offset)
      return bytes
    }
    const sync = (): void => {
      check()
      this.#rest(this.#call('sync', path), 'fsync', path)
      node.stable.clear()
      node.stableLength = node.length
    }
    return {
      read,
      readLater: async (into, offset, length, position) => {
        await nextTurn()
        return read(into, offset, length, position)
      },
      write: (from, offset, length, position) => {
        check()
        if (!writable) throw systemError('EBADF', 'write', path)
        return this.#write(node, path, from.subarray(offset, offset + length), position, durable)
      },
      sync,
      syncLater: async () => {
        await nextTurn()
        sync()
      },
      truncate: (length) => {
        check()
        const fault = this.#call('truncate', path)
        if (length > node.length) this.#room(length - node.length, 'ftruncate', path)
        this.#used += length - node.length
        this.#remember(node, Math.min(length, node.length), Math.max(length, node.length))
        if (length < node.length) node.bytes.fill(0, length, node.length)
        reserve(node, length)
        node.length = length
        this.#rest(fault, 'ftruncate', path)
      },
      size: () => {
        check()
        return node.length
      },
      close: () => {
        open = false
      },
    }
  }

  #write(node: Node, path: string, from: Uint8Array, position: number, durable: boolean): number {
    const fault = this.#call('write', path)
    if (fault === 'ENOSPC') throw systemError('ENOSPC', 'write', path)
    let bytes = fault === 'short' ? Math.max(1, from.length >> 1) : from.length
    const growth = position + bytes - node.length
    if (growth > 0) {
      const room = this.#capacityBytes - this.#used
      if (growth > room) bytes -= growth - room
      if (bytes <= 0) throw systemError('ENOSPC', 'write', path)
      this.#used += Math.max(0, position + bytes - node.length)
    }
    const end = position + bytes
    this.#remember(node, Math.min(position, node.length), end)
    reserve(node, end)
    node.bytes.set(bytes === from.length ? from : from.subarray(0, bytes), position)
    node.length = Math.max(node.length, end)
    this.#rest(fault, 'write', path)
    if (durable && this.#simulate) {
      for (let sector = Math.floor(position / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) node.stable.delete(sector)
      node.stableLength = Math.max(node.stableLength, end)
    }
    return bytes
  }

  /** Keeps the device's version of the sectors from `start` to `end` before they change. */
  #remember(node: Node, start: number, end: number): void {
    if (!this.#simulate) return
    for (let sector = Math.floor(start / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      if (node.stable.has(sector)) continue
      const before = Buffer.alloc(SECTOR_BYTES)
      before.set(node.bytes.subarray(sector * SECTOR_BYTES, Math.min(node.length, (sector + 1) * SECTOR_BYTES)))
      node.stable.set(sector, before)
    }
  }

  #name(folder: string, apply: (names: Map<string, Node>) => void): void {
    apply(this.#names)
    if (this.#simulate) this.#pendingNames.push({ folder, apply })
  }

  #room(bytes: number, call: string, path: string): void {
    if (this.#used + bytes > this.#capacityBytes) throw systemError('ENOSPC', call, path)
  }

  #call(name: FileCall['name'], path: string): Fault | undefined {
    if (!this.#simulate) return undefined
    this.#calls++
    return this.fault?.({ number: this.#calls, name, path })
  }

  /** The end of a call whose effect is in the cache but not promised. */
  #rest(fault: Fault | undefined, call: string, path: string): void {
    if (fault === 'EIO') throw systemError('EIO', call, path)
    if (fault !== 'cut') return
    this.#power = false
    throw new PowerCut(`the power went off in ${call} of ${path}`)
  }

  #powered(): void {
    if (!this.#power) throw new PowerCut('the power is off')
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function reserve(node: Node, length: number): void {
  if (length <= node.bytes.length) return
  const larger = Buffer.alloc(Math.max(length, Math.min(node.bytes.length * 2, node.bytes.length + 64 * 1024 * 1024), SECTOR_BYTES))
  node.bytes.copy(larger, 0, 0, node.length)
  node.bytes = larger
}

function settleNode(node: Node, random: Random): void {
  if (node.stable.size === 0 && node.stableLength === node.length) return
  for (const [sector, before] of node.stable) {
    if (random.below(2) === 0) continue
    const at = sector * SECTOR_BYTES
    reserve(node, at + SECTOR_BYTES)
    before.copy(node.bytes, at)
  }
  const length = random.below(2) === 0 ? node.length : node.stableLength
  reserve(node, length)
  node.bytes.fill(0, length, Math.max(length, node.bytes.length))
  node.length = length
  node.stableLength = length
  node.stable.clear()
}

function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path })
}

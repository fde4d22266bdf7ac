// What a program printed, and how it ended.
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'

export interface ChildResult {
  readonly code: number | null
  readonly output: string
  readonly notes: string
}

/** Resolves when it has ended; it is killed after `msMax`. */
export function resultOf(child: ChildProcessByStdio<null, Readable, Readable>, msMax: number): Promise<ChildResult> {
  const late = setTimeout(() => child.kill('SIGKILL'), msMax)
  let output = ''
  let notes = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (notes += chunk.toString('utf8')))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(late)
      resolve({ code, output, notes })
    })
  })
}

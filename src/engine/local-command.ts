// Runs a program of the operator's with a text on its standard input: no shell, a fixed environment, bounds of time, output and memory.
// Whatever goes beyond them is ended with all that it started.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

export interface LocalCommand {
  /** The program, found in PATH or by its path, and its arguments. */
  readonly argv: readonly string[]
  /** All of its environment; nothing of ours goes along. */
  readonly environment: Readonly<Record<string, string>>
}

export interface CommandBounds {
  readonly timeMs: number
  /** Of standard output and standard error together. */
  readonly outputBytes: number
  /** Resident, of the program and what it started; where the system tells (Linux). */
  readonly memoryBytes: number
  readonly lookMs: number
}

/** `failed`: it ran, and did not end with code 0. `unstarted`: it did not run at all. */
export type CommandEnd = { readonly kind: 'done' } | { readonly kind: 'failed' | 'unstarted'; readonly reason: string }

export const COMMAND_BOUNDS: CommandBounds = {
  timeMs: 14_000,
  outputBytes: 1024 * 1024,
  memoryBytes: 512 * 1024 * 1024,
  lookMs: 200,
}

/** Never rejects. What the program writes is read and dropped: it may hold what was published. */
export function runLocalCommand(clock: Clock, command: LocalCommand, input: string, bounds = COMMAND_BOUNDS): Promise<CommandEnd> {
  const [program = '', ...words] = command.argv
  return new Promise((resolve) => {
    const child = spawn(program, words, { env: command.environment, stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true })
    const end = (): void => killAll(child)
    let beyond: string | undefined
    const stop = (reason: string): void => {
      beyond ??= reason
      end()
    }
    let bytes = 0
    const count = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > bounds.outputBytes) stop(`it wrote more than ${bounds.outputBytes} bytes`)
    }
    child.stdout.on('data', count)
    child.stderr.on('data', count)
    // It may end without reading what it is given.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const late = clock.after(bounds.timeMs, () => stop(`it took longer than ${bounds.timeMs} ms`))
    let look = clock.after(bounds.lookMs, function check() {
      if (child.pid !== undefined && residentBytes(child.pid) > bounds.memoryBytes)
        stop(`it took more than ${bounds.memoryBytes} bytes of memory`)
      look = clock.after(bounds.lookMs, check)
    })
    // A server that ends leaves nothing behind.
    process.once('exit', end)
    const over = (ended: CommandEnd): void => {
      late.cancel()
      look.cancel()
      process.off('exit', end)
      resolve(ended)
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) over({ kind: 'unstarted', reason: `it cannot be started (${error.code ?? 'error'})` })
    })
    // Its own end counts; what it leaves running with its output open does not hold us up.
    child.once('exit', (code, signal) => {
      end()
      child.stdout.destroy()
      child.stderr.destroy()
      if (beyond !== undefined) over({ kind: 'failed', reason: beyond })
      else over(code === 0 ? { kind: 'done' } : { kind: 'failed', reason: code === null ? `it ended by ${signal}` : `exit code ${code}` })
    })
  })
}

/** The program is the first of a group of its own. */
function killAll(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

const PAGE_BYTES = 4096
const PROCESSES_MAX = 256

/** 0 where the system does not tell. */
function residentBytes(root: number): number {
  let bytes = 0
  const processes = [root]
  for (const pid of processes) {
    try {
      bytes += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
      if (processes.length < PROCESSES_MAX) processes.push(...children.filter((text) => /^\d+$/.test(text)).map(Number))
    } catch {
      // It ended, or there is no such file.
    }
  }
  return bytes
}

// The processes a bench starts, and what they cost: CPU time and memory of a process with all its children, from /proc.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const TICKS_PER_SECOND = 100

export interface Started {
  readonly child: ChildProcess
  /** The first line of standard output, parsed. */
  readonly first: Record<string, unknown>
}

/** Starts a script under this Node and waits for its first line of JSON. SEALCAST_BENCH_PROFILE names a folder for CPU profiles. */
export function startScript(script: string, words: readonly string[], environment: Record<string, string> = {}): Promise<Started> {
  const profile = process.env['SEALCAST_BENCH_PROFILE']
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...profiling, script, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  return firstLine(child, child.stdout, script)
}

/** Starts the server the way a user does, on a free port; `first` is its log line `ready`. SEALCAST_BENCH_PROFILE as above. */
export function startSealcast(dataFolder: string, environment: Record<string, string>, words: readonly string[] = []): Promise<Started> {
  const profile = process.env['SEALCAST_BENCH_PROFILE']
  const profiling = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }
  const launcher = join(import.meta.dirname, '..', '..', 'bin', 'sealcast.js')
  const child = spawn(process.execPath, [launcher, 'serve', '--port', '0', '--data', dataFolder, '--log', 'json', ...words], {
    stdio: ['pipe', 'inherit', 'pipe'],
    env: { ...process.env, ...profiling, ...environment },
  })
  return firstLine(child, child.stderr, 'sealcast serve')
}

/** Waits for the first line that a process says, in JSON. */
function firstLine(child: ChildProcess, from: Readable, name: string): Promise<Started> {
  // A bench that fails leaves nobody behind.
  process.once('exit', () => child.kill())
  return new Promise((resolve, reject) => {
    let text = ''
    from.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const end = text.indexOf('\n')
      if (end !== -1) resolve({ child, first: JSON.parse(text.slice(0, end)) as Record<string, unknown> })
    })
    child.on('exit', (code, signal) => reject(new Error(`${name} ended with ${code ?? signal} before it said anything`)))
  })
}

export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const family = [pid]
  for (const member of family) family.push(...(children.get(member) ?? []))
  return family
}

/** Seconds of CPU, user and system, all threads, children included. */
export function cpuSeconds(pid: number): number {
  return familyOf(pid).reduce((sum, member) => {
    const fields = statFields(member)
    return sum + (fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND)
  }, 0)
}

/** Seconds for which the hypervisor let others run while something here wanted to; 0 on a machine of one's own. */
export function stolenSeconds(): number {
  return Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0) / TICKS_PER_SECOND
}

/** Resident memory in MiB, children included. */
export function memoryMb(pid: number): number {
  return statusMb(pid, 'VmRSS')
}

/** What of it is no page of a file, which the system may take back at any time. */
export function ownMemoryMb(pid: number): number {
  return statusMb(pid, 'RssAnon')
}

function statusMb(pid: number, field: string): number {
  const pattern = new RegExp(`^${field}:\\s+(\\d+)`, 'm')
  return familyOf(pid).reduce((sum, member) => {
    try {
      return sum + Number(pattern.exec(readFileSync(`/proc/${member}/status`, 'utf8'))?.[1] ?? 0) / 1024
    } catch {
      return sum
    }
  }, 0)
}

function parentOf(pid: number): number | undefined {
  const fields = statFields(pid)
  return fields === undefined ? undefined : Number(fields[1])
}

/** The fields of /proc/PID/stat from the state on. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

// Runs shell lines and scripts as a person at a terminal would, with nothing of this machine's AWS configuration.
import { spawn } from 'node:child_process'

export interface ShellResult {
  readonly code: number | null
  readonly output: string
  readonly notes: string
}

const RUN_MS_MAX = 100_000

export function runProgram(
  program: string,
  words: readonly string[],
  { folder, environment }: { readonly folder: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<ShellResult> {
  const foreign = /^(AWS_|SEALCAST_)/
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
  const child = spawn(program, [...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(own),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      ...environment,
    },
  })
  const late = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
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

// Runs shell lines and scripts as a person at a terminal would, with nothing of this machine's AWS configuration.
import { spawn } from 'node:child_process'
import { type ChildResult, resultOf } from '../child-result.ts'

const RUN_MS_MAX = 100_000

export function runProgram(
  program: string,
  words: readonly string[],
  { folder, environment }: { readonly folder: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<ChildResult> {
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
  return resultOf(child, RUN_MS_MAX)
}

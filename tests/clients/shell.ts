// Runs shell lines and scripts as a person at a terminal would, with nothing of this machine's AWS configuration.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type ChildResult, resultOf } from '../child-result.ts'

const RUN_MS_MAX = 100_000

export interface RunOptions {
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
}

export function runProgram(program: string, words: readonly string[], { folder, environment }: RunOptions): Promise<ChildResult> {
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

/** What the program prints; fails where it does. */
export async function outputOf(program: string, words: readonly string[], options: RunOptions): Promise<string> {
  const { code, output, notes } = await runProgram(program, words, options)
  assert.equal(code, 0, `${program} ${words.join(' ')}: ${notes}`)
  return output
}

/** What the AWS CLI answers, as JSON; an empty object where it prints nothing. */
export async function awsAnswer(words: readonly string[], options: RunOptions): Promise<Record<string, unknown>> {
  const output = await outputOf('aws', [...words, '--output', 'json'], options)
  return (output.trim() === '' ? {} : JSON.parse(output)) as Record<string, unknown>
}

// Runs shell lines and scripts as a person at a terminal would, with nothing of this machine's AWS configuration.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type ChildResult, resultOf } from '../child-result.ts'

const RUN_MS_MAX = 100_000

export interface RunOptions {
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
}

export function runProgram(program: string, words: readonly string[], options: RunOptions): Promise<ChildResult> {
  return resultOf(spawnProgram(program, words, options), RUN_MS_MAX)
}

export interface RunningProgram {
  /** What it printed so far. */
  output(): string
  /** What it wrote to standard error so far. */
  notes(): string
  /** SIGINT; resolves when it has ended. */
  end(): Promise<void>
}

/** Starts a program and leaves it running. */
export function startProgram(program: string, words: readonly string[], options: RunOptions): RunningProgram {
  const child = spawnProgram(program, words, options)
  let output = ''
  let notes = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (notes += chunk.toString('utf8')))
  const ended = resultOf(child, RUN_MS_MAX)
  return {
    output: () => output,
    notes: () => notes,
    async end() {
      child.kill('SIGINT')
      await ended
    },
  }
}

function spawnProgram(program: string, words: readonly string[], { folder, environment }: RunOptions) {
  const foreign = /^(AWS_|SEALCAST_)/
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
  return spawn(program, [...words], {
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

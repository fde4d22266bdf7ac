// Runs captured events where no Lambda is: by a command that gets the event on its standard input, or at a URL that it is posted to.
import type { DelivererParts, DeliveryTools, Outcome } from '../engine/deliverer.ts'
import { type LocalCommand, runLocalCommand } from '../engine/local-command.ts'
import type { LocalFunction } from '../engine/providers.ts'
import { percentEncode } from '../model/percent-encoding.ts'
import { providerFailure } from './answers.ts'
import { outcomeOf } from './http.ts'
import { Turns } from './turns.ts'

export interface FunctionName {
  readonly region: string
  readonly account: string
  readonly name: string
  /** A version or an alias. */
  readonly qualifier: string | undefined
  /** Its ARN without the qualifier. */
  readonly arn: string
}

/** Resolves with how the run ended: a function that fails had its event, and does not get it again. */
export type LocalRunner = (called: FunctionName, event: string, tools: DeliveryTools) => Promise<Outcome>

/** At the same time; further ones wait for their turn, and come again when it does not come. */
const COMMANDS_MAX = 8
const WAIT_MS_MAX = 10_000
const ANSWER_BYTES_MAX = 64 * 1024

export function localRunner({ clock }: Pick<DelivererParts, 'clock'>, runs: LocalFunction): LocalRunner {
  if (runs.kind === 'url') return (called, event, tools) => post(runs.url, called, event, tools)
  const turns = new Turns(COMMANDS_MAX)
  return async (called, event) => {
    const late = new AbortController()
    const timer = clock.after(WAIT_MS_MAX, () => late.abort())
    const leave = await turns.take(late.signal)
    timer.cancel()
    if (leave === undefined) return { kind: 'retry', reason: `${COMMANDS_MAX} commands of lambda.command run already` }
    try {
      const ended = await runLocalCommand(clock, commandFor(runs.command, called), event)
      if (ended.kind === 'done') return { kind: 'delivered' }
      return { kind: ended.kind === 'failed' ? 'refused' : 'retry', reason: `the command of lambda.command failed: ${ended.reason}` }
    } finally {
      leave()
    }
  }
}

/** Of an endpoint that waits for the function, although nobody asked it to: the function had the event, and failed. */
export function functionFailure(headers: Readonly<Record<string, string>>): string | undefined {
  const error = headers['x-amz-function-error']
  return error === undefined ? undefined : `the function failed${/^\w{1,32}$/.test(error) ? `: ${error}` : ''}`
}

/** The variables by which functions know themselves (Lambda developer guide, "Defined runtime environment variables"). */
function commandFor({ argv, environment }: LocalCommand, { name, qualifier = '$LATEST', region }: FunctionName): LocalCommand {
  const own = { AWS_REGION: region, AWS_LAMBDA_FUNCTION_NAME: name, AWS_LAMBDA_FUNCTION_VERSION: qualifier }
  return { argv, environment: { ...environment, ...own } }
}

async function post(url: string, { name }: FunctionName, event: string, { outbound, now }: DeliveryTools): Promise<Outcome> {
  try {
    const answer = await outbound.request({
      ...{ method: 'POST', url: url.replaceAll('{function}', percentEncode(name)), body: event, maxResponseBytes: ANSWER_BYTES_MAX },
      headers: { 'content-type': 'application/json' },
    })
    const failure = functionFailure(answer.headers)
    return failure === undefined ? outcomeOf(answer, now) : { kind: 'refused', status: answer.status, reason: failure }
  } catch (error) {
    return providerFailure('lambda.url', error)
  }
}

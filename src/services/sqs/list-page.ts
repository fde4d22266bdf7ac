// Pages of ARNs: a token is the last ARN of the page before, opaque to clients.
import { parseArn } from '../../model/arn.ts'
import { invalidValue } from './errors.ts'

export interface PageInput {
  readonly MaxResults?: number
  readonly NextToken?: string
}

const RESULTS_MAX = 1000

/** `list` gives keys in order. Quirk: without MaxResults AWS gives a first thousand and no token. */
export function readPage(
  { MaxResults: max, NextToken: token }: PageInput,
  list: (range: { readonly after: string | undefined; readonly limit: number }) => readonly string[],
): { readonly keys: readonly string[]; readonly NextToken?: string } {
  if (max !== undefined && !(Number.isInteger(max) && max >= 1 && max <= RESULTS_MAX))
    throw invalidValue(max, 'MaxResults', `MaxResults must be an integer between 1 and ${RESULTS_MAX}.`)
  const limit = max ?? RESULTS_MAX
  const keys = list({ after: token === undefined || token === '' ? undefined : readToken(token), limit: limit + 1 })
  if (keys.length <= limit) return { keys }
  const page = keys.slice(0, limit)
  return max === undefined ? { keys: page } : { keys: page, NextToken: Buffer.from(page.at(-1) ?? '').toString('base64') }
}

function readToken(token: string): string {
  const arn = Buffer.from(token, 'base64').toString('utf8')
  if (parseArn(arn)?.service !== 'sqs') throw invalidValue(token, 'NextToken', 'Use the NextToken of the page before.')
  return arn
}

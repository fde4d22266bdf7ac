// The opaque token that continues a listing: the last name given out, and whether all that starts with it is done with.
import { errors } from './errors.ts'

export interface Continuation {
  readonly after: string
  /** `after` is a common prefix: everything that starts with it is behind us. */
  readonly skipsPrefix: boolean
}

export function writeToken({ after, skipsPrefix }: Continuation): string {
  return `${skipsPrefix ? 'p' : 'k'}${Buffer.from(after).toString('base64url')}`
}

/** Throws InvalidArgument for a text that is no token of ours. */
export function readToken(token: string): Continuation {
  const after = Buffer.from(token.slice(1), 'base64url').toString('utf8')
  const continuation = { after, skipsPrefix: token.startsWith('p') }
  if (after === '' || writeToken(continuation) !== token)
    throw errors.invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
  return continuation
}

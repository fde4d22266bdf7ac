// What a signature is made of: the parts of a request, as they were sent.
import { EMPTY_FORM, type Form, parseForm } from '../codecs/form.ts'

export interface SignedRequest {
  readonly method: string
  /** As sent: not decoded, without the query. */
  readonly path: string
  readonly query: string
  /** By lower-case names, values as Latin-1, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Undefined where the body is streamed. */
  readonly body: Buffer | undefined
  /** Of the body, in hexadecimal, where it is known already. */
  readonly bodySha256?: string | undefined
}

/** A query that cannot be read signs nothing; who reads it for its meaning says what is wrong with it. */
export function queryForm(query: string): Form {
  try {
    return parseForm(Buffer.from(query, 'latin1'))
  } catch {
    return EMPTY_FORM
  }
}

/** A header's value, one text however often it was sent. */
export function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(',') : value
}

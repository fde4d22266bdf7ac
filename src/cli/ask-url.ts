// What a command asks a development server at its URL, which needs no data directory.
import { CommandError, UsageError } from './command.ts'

/** The JSON that is answered to `path`. Throws UsageError for a `url` that is none, and CommandError where no `what` answers. */
export async function askUrl(
  url: string,
  path: string,
  { what, body }: { readonly what: string; readonly body?: object },
): Promise<object> {
  const base = URL.parse(url)
  if (base === null || !/^https?:$/.test(base.protocol)) throw new UsageError(`--url takes an http(s) URL, not ${url}`)
  let answer: unknown
  try {
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    answer = await (await fetch(new URL(path, base), sent)).json()
  } catch (error) {
    const { cause } = error as Error
    throw new CommandError(`no ${what} at ${url}: ${cause instanceof Error ? cause.message : String(error)}`)
  }
  if (typeof answer !== 'object' || answer === null) throw new CommandError(`no ${what} at ${url}`)
  const { error } = answer as { readonly error?: unknown }
  if (error !== undefined) throw new CommandError(typeof error === 'string' ? error : `no ${what} at ${url}`)
  return answer
}

// GET /_sealcast/inbox: what was captured, for tests that ask over HTTP. Whoever reaches the port may ask, so that only a development
// server answers it.
import type { Captured } from '../engine/captured.ts'
import { readInboxQuery } from '../model/captured.ts'
import type { HttpRequest } from './http.ts'

export async function readInbox(
  captured: Captured,
  { query, patience }: Pick<HttpRequest, 'query' | 'patience'>,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const read = readInboxQuery(Object.fromEntries(new URLSearchParams(query)))
  if ('problem' in read) return { status: 400, body: { error: read.problem } }
  await captured.wait(read.filter, read.waitMs, patience)
  return { status: 200, body: { messages: await captured.list(read.filter, read.max) } }
}

// ListCaptured: the inbox of what providers of the kind `capture` kept, a message to a line; waits for one where asked.
import { readInboxQuery } from '../../model/captured.ts'
import { badRequest } from './errors.ts'
import type { Lines, SealcastOperation, SealcastParts } from './operation.ts'

type ListCapturedInput = Readonly<Record<string, unknown>>

export const listCaptured: SealcastOperation<ListCapturedInput, Lines> = (parts) => ({
  name: 'ListCaptured',
  access: 'read',
  record: { parameters: ({ to, ...others }) => ({ ...others, ...(to !== undefined && { to: 'HIDDEN_DUE_TO_SECURITY_REASONS' }) }) },
  run(_tx, input) {
    const query = readInboxQuery(input)
    if ('problem' in query) throw badRequest(query.problem)
    return { lines: linesOf(parts, input) }
  },
})

async function* linesOf({ captured }: SealcastParts, input: ListCapturedInput): AsyncGenerator<unknown> {
  const query = readInboxQuery(input)
  if ('problem' in query) return
  await captured.wait(query.filter, query.waitMs)
  yield* await captured.list(query.filter, query.max)
}

// Query: SQL over the record. First a line with the columns, then rows as lists of values, then the count.
import { LakeQueryError } from '../../storage/lake.ts'
import { badRequest } from './errors.ts'
import type { Lines, SealcastOperation, SealcastParts } from './operation.ts'

export interface QueryInput {
  readonly Sql?: string
  readonly TimeoutSeconds?: number
  readonly RowsMax?: number
}

export const query: SealcastOperation<QueryInput, Lines> = (parts) => ({
  name: 'Query',
  access: 'read',
  record: { parameters: ({ Sql: sql }) => ({ sql }) },
  run(_tx, input) {
    if (typeof input.Sql !== 'string' || input.Sql.trim() === '') throw badRequest('Sql: give one SELECT statement')
    return { lines: NO_LINES }
  },
  answer: (_output, _call, input) => ({ lines: answerQuery(parts, input) }),
})

const NO_LINES: AsyncIterable<unknown> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}

async function* answerQuery({ lake, caughtUp }: SealcastParts, { Sql: sql, TimeoutSeconds, RowsMax }: QueryInput): AsyncGenerator<unknown> {
  // All that was recorded before the question is in the answer.
  await caughtUp()
  try {
    const result = await lake.query(sql ?? '', {
      ...(TimeoutSeconds !== undefined && { timeoutMs: TimeoutSeconds * 1000 }),
      ...(RowsMax !== undefined && { rowsMax: RowsMax }),
    })
    yield { columns: result.columns }
    let rows = 0
    for await (const batch of result.batches) {
      rows += batch.length
      yield { rows: batch }
    }
    yield { count: rows, truncated: result.truncated() }
  } catch (error) {
    if (error instanceof LakeQueryError) throw badRequest(error.message)
    throw error
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Terminal } from '../command.ts'
import { deliveries } from './deliveries.ts'

/** What is noted of so many attempts. */
async function notesOf(count: number, truncated: boolean): Promise<string> {
  let notes = ''
  async function* lines(): AsyncGenerator<unknown> {
    yield await Promise.resolve({ columns: [{ name: 'attempt', type: 'BIGINT' }] })
    yield { rows: Array.from({ length: count }, (_, at) => [at]) }
    yield { count, truncated }
  }
  const terminal: Partial<Terminal> = {
    environment: {},
    isOutputTerminal: false,
    connect: () => Promise.resolve({ lines, close: () => Promise.resolve() }),
    write: () => Promise.resolve(),
    note: (text) => void (notes += text),
  }
  assert.equal(await deliveries.run({ data: undefined, json: false }, ['m'], terminal as Terminal), 0)
  return notes
}

test('a table says that it is cut off when it is', async () => {
  assert.equal(await notesOf(10_000, false), '10000 attempts\n')
  assert.equal(await notesOf(10_000, true), '10000 attempts\nonly the first 10000; --json prints all of them\n')
})

// docs/OPERATIONS.md is the one the code has, and each operation that is offered has a test that calls it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { operationsPage, operationTables, WITHOUT_EFFECT } from './operations-table.ts'

test('docs/OPERATIONS.md lists the operations as they are (node bin/node26.js scripts/operations-table.ts writes them)', () => {
  const isFresh = readFileSync(new URL('../docs/OPERATIONS.md', import.meta.url), 'utf8') === operationsPage()
  assert.ok(isFresh, 'write it anew')
})

test('every offered operation has a test that calls it', () => {
  const untested = operationTables().flatMap(({ service, offered }) =>
    offered.filter((row) => row.test === undefined).map(({ name }) => `${service}:${name}`),
  )
  assert.deepEqual(untested, [])
})

test('no parameter of an offered operation is let pass without a reason', () => {
  const passed = operationTables().flatMap(({ service, offered }) =>
    offered.flatMap(({ name, ignored }) =>
      ignored.filter((member) => WITHOUT_EFFECT[member] === undefined).map((member) => `${service}:${name} ${member}`),
    ),
  )
  assert.deepEqual(passed, [])
})

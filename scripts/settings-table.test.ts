// The table of settings in docs/OPERATING.md is the one the code has.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { settings } from '../src/settings.ts'
import { settingsTable, withTable } from './settings-table.ts'

test('docs/OPERATING.md lists the settings as they are (node bin/node26.js scripts/settings-table.ts writes them)', () => {
  const text = readFileSync(new URL('../docs/OPERATING.md', import.meta.url), 'utf8')
  assert.equal(withTable(text), text)
  for (const key of Object.keys(settings)) assert.ok(settingsTable().includes(`\`${key}\``), key)
})

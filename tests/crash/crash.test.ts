// Invariant 1, a small run of it: a 200 means that message and event survive. In full: scripts/crash.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../server.ts'
import { runCrashRounds } from './rounds.ts'

test(
  'invariant 1: what was acknowledged before a SIGKILL is there once, with its event, and is delivered',
  { timeout: 180_000 },
  async () => {
    const folder = temporaryFolder()
    try {
      const seed = Math.floor(Math.random() * 1e9)
      const report = await runCrashRounds({ folder: folder.path, rounds: 4, seed, inFlight: 64, report: () => {} })
      assert.ok(report.acknowledged > 0, `seed ${seed}: something was acknowledged`)
    } finally {
      folder.remove()
    }
  },
)

// Invariant 1, a small run of it: a 200 means that message and event survive. In full: scripts/crash.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../server.ts'
import { runFifoTopic } from './fifo-topic-run.ts'
import { runQueueCrashRounds } from './queue-rounds.ts'
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

test(
  'queues through SIGKILL: nothing acknowledged is lost, nothing deleted comes back, groups keep their order, duplicates stay one',
  { timeout: 180_000 },
  async () => {
    const folder = temporaryFolder()
    const seed = Math.floor(Math.random() * 1e9)
    try {
      const report = await runQueueCrashRounds({ folder: folder.path, rounds: 3, seed, clients: 2, report: () => {} })
      for (const [what, count] of Object.entries(report)) if (what !== 'unansweredKept') assert.ok(count > 0, `seed ${seed}: ${what}`)
    } finally {
      folder.remove()
    }
  },
)

test(
  'FIFO topics through SIGKILL and failing receivers: each queue has every message once, each group in order',
  { timeout: 180_000 },
  async () => {
    const folder = temporaryFolder()
    const seed = Math.floor(Math.random() * 1e9)
    try {
      const report = await runFifoTopic({ folder: folder.path, messages: 300, groups: 10, queues: 3, seed, report: () => {} })
      assert.ok(report.published === 300 && report.failures > 0 && report.redelivered > 0, `seed ${seed}: ${JSON.stringify(report)}`)
    } finally {
      folder.remove()
    }
  },
)

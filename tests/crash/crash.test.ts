// Invariant 1, a small run of it: a 200 means that message and event survive. In full: scripts/crash.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../server.ts'
import type { CrashRun } from './crash-run.ts'
import { runFifoTopic } from './fifo-topic-run.ts'
import { runQueueCrashRounds } from './queue-rounds.ts'
import { runCrashRounds } from './rounds.ts'
import { runSnsCrashRounds } from './sns-rounds.ts'

function testCrash(name: string, run: (common: CrashRun) => Promise<void>): void {
  test(name, { timeout: 180_000 }, async () => {
    const folder = temporaryFolder()
    try {
      await run({ folder: folder.path, seed: Math.floor(Math.random() * 1e9), report: () => {} })
    } finally {
      folder.remove()
    }
  })
}

testCrash('invariant 1: what was acknowledged before a SIGKILL is there once, with its event, and is delivered', async (common) => {
  const report = await runCrashRounds({ ...common, rounds: 4, inFlight: 64 })
  assert.ok(report.acknowledged > 0, `seed ${common.seed}: something was acknowledged`)
})

testCrash(
  'queues through SIGKILL: nothing acknowledged is lost, nothing deleted comes back, groups keep their order, duplicates stay one',
  async (common) => {
    const report = await runQueueCrashRounds({ ...common, rounds: 3, clients: 2 })
    for (const [what, count] of Object.entries(report)) if (what !== 'unansweredKept') assert.ok(count > 0, `seed ${common.seed}: ${what}`)
  },
)

testCrash('FIFO topics through SIGKILL and failing receivers: each queue has every message once, each group in order', async (common) => {
  const report = await runFifoTopic({ ...common, messages: 300, groups: 10, queues: 3 })
  const isWhole = report.published === 300 && report.failures > 0 && report.redelivered > 0
  assert.ok(isWhole, `seed ${common.seed}: ${JSON.stringify(report)}`)
})

testCrash(
  'settings of SNS and filtered, masked batches through SIGKILL: acknowledged they hold, else whole or not at all',
  async (common) => {
    const { settings, batches } = await runSnsCrashRounds({ ...common, rounds: 2 })
    assert.ok(settings > 0 && batches > 0, `seed ${common.seed}: ${settings} settings, ${batches} batches`)
  },
)

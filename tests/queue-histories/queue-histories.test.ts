// slow: thousands of random histories
// More of them: SEALCAST_QUEUE_HISTORIES=100000 npm test -- tests/queue-histories/queue-histories.test.ts; SEALCAST_QUEUE_SEED repeats one.
import test from 'node:test'
import fc from 'fast-check'
import { story } from './commands.ts'
import { runStory } from './run-story.ts'

const HISTORIES = Number(process.env['SEALCAST_QUEUE_HISTORIES'] ?? 2000)
const SEED = Number(process.env['SEALCAST_QUEUE_SEED'] ?? Math.floor(Math.random() * 0x7fffffff))

test(`queues do what SQS's documentation says through ${HISTORIES} random histories, seed ${SEED}`, async () => {
  await fc.assert(fc.asyncProperty(story, runStory), { numRuns: HISTORIES, seed: SEED })
})

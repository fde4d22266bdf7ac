import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { fuzz } from '../src/wire/fuzz.ts'
import { createServiceTarget } from './service-fuzz.ts'
import { FUZZED_SNS } from './sns-fuzz.ts'
import { FUZZED_SQS } from './sqs-fuzz.ts'

const INPUTS = 4000

for (const [service, what, servedLeast] of [
  [FUZZED_SQS, 'SQS requests in both protocols', 26],
  // All 42 but those that need a token or a code.
  [FUZZED_SNS, 'SNS requests', 38],
] as const)
  test(`mutated ${what} are served or refused, and never fail`, async () => {
    const seed = Math.floor(Math.random() * 1e9)
    const { target, served, close } = await createServiceTarget(service)
    const options = { targets: [target], random: seededRandom(seed), clock: systemClock, inputMsMax: 5000 }
    // As they are, they are served: else the mutations would begin at refusals.
    for (const input of target.seeds) await target.run(input)
    assert.ok(served.size >= servedLeast, `${served.size} served: ${[...served].toSorted().join(', ')}`)
    const { finding, inputs } = await fuzz({ ...options, isOver: (count) => count >= INPUTS })
    await close()
    assert.equal(finding, undefined, `seed ${seed}, input ${inputs}: ${finding?.problem}\n${finding?.input.toString('latin1')}`)
  })

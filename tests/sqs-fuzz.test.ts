import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { fuzz } from '../src/wire/fuzz.ts'
import { createSqsTarget } from './sqs-fuzz.ts'

const INPUTS = 4000
/** Operations that the seeds reach, in JSON and in forms. */
const OPERATIONS_SERVED = 26

test('mutated SQS requests in both protocols are served or refused, and never fail', async () => {
  const seed = Math.floor(Math.random() * 1e9)
  const { target, served, close } = await createSqsTarget()
  const options = { targets: [target], random: seededRandom(seed), clock: systemClock, inputMsMax: 5000 }
  // As they are, they are served: else the mutations would begin at refusals.
  for (const input of target.seeds) await target.run(input)
  assert.ok(served.size >= OPERATIONS_SERVED, `served: ${[...served].toSorted().join(', ')}`)
  const { finding, inputs } = await fuzz({ ...options, isOver: (count) => count >= INPUTS })
  await close()
  assert.equal(finding, undefined, `seed ${seed}, input ${inputs}: ${finding?.problem}\n${finding?.input.toString('latin1')}`)
})

import assert from 'node:assert/strict'
import test from 'node:test'
import { SimulatedClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { CANARY, createTargets, fuzz } from './fuzz.ts'
import { testModel } from './test-world.ts'

const models = {
  sns: testModel('sns'),
  sqs: testModel('sqs'),
  sts: testModel('sts'),
  s3: testModel('s3'),
  cloudtrail: testModel('cloudtrail'),
}
const targets = createTargets(models)

for (const target of targets) {
  test(`${target.name}: mutated bytes are read or refused`, async () => {
    const options = { targets: [target], random: seededRandom(7), clock: new SimulatedClock(0), inputMsMax: 1000 }
    const { finding, inputs } = await fuzz({ ...options, isOver: (count) => count >= 1500 })
    assert.deepEqual(finding, undefined)
    assert.equal(inputs, 1500)
  })
}

test('the canary is caught', async () => {
  const { finding, inputs } = await fuzz({
    targets: [CANARY],
    random: seededRandom(7),
    clock: new SimulatedClock(0),
    inputMsMax: 1000,
    isOver: (count) => count >= 1000,
  })
  assert.match(finding?.problem ?? '', /URIError/)
  assert.ok(inputs < 1000)
})

test('an input that takes too long is a finding', async () => {
  const clock = new SimulatedClock(0)
  const slow = { name: 'slow', seeds: [Buffer.from('a')], run: () => clock.advance(1001) }
  const { finding } = await fuzz({ targets: [slow], random: seededRandom(1), clock, inputMsMax: 1000, isOver: () => false })
  assert.equal(finding?.problem, 'took 1001 ms')
})

// Fuzzes the wire, SNS and SQS whole, the verifier and filter policies: node bin/node26.js scripts/fuzz.ts --seconds 60 [--seed 1].
// Exits 1 with the input of the first finding, or when the canary, a codec with a known mistake, is not caught.
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { createFilterTargets } from '../src/model/filter-policy/fuzz.ts'
import { cloudtrailModel } from '../src/services/cloudtrail/model.ts'
import { s3Model } from '../src/services/s3/model.ts'
import { snsModel } from '../src/services/sns/model.ts'
import { sqsModel } from '../src/services/sqs/model.ts'
import { stsModel } from '../src/services/sts/model.ts'
import { createVerifyTargets } from '../src/verify/fuzz.ts'
import { CANARY, createTargets, fuzz } from '../src/wire/fuzz.ts'
import { createServiceTarget } from '../tests/service-fuzz.ts'
import { FUZZED_SNS } from '../tests/sns-fuzz.ts'
import { FUZZED_SQS } from '../tests/sqs-fuzz.ts'

const INPUT_MS_MAX = 2000
const CANARY_INPUTS_MAX = 10_000

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } })
const seconds = Number(values.seconds)
const seed = values.seed === undefined ? systemClock.now() % 1_000_000_000 : Number(values.seed)
if (!(seconds > 0) || !Number.isInteger(seed)) {
  process.stderr.write('usage: fuzz.ts [--seconds N, above 0] [--seed N, whole]\n')
  process.exit(2)
}

const models = { sns: snsModel(), sqs: sqsModel(), sts: stsModel(), s3: s3Model(), cloudtrail: cloudtrailModel() }
const common = { random: seededRandom(seed), clock: systemClock, inputMsMax: INPUT_MS_MAX }

const canary = await fuzz({ ...common, targets: [CANARY], isOver: (inputs) => inputs >= CANARY_INPUTS_MAX })
if (canary.finding === undefined) {
  process.stderr.write(`the canary survived ${canary.inputs} inputs: the fuzzer finds nothing\n`)
  process.exit(1)
}

const services = await Promise.all([FUZZED_SNS, FUZZED_SQS].map(createServiceTarget))
const end = systemClock.monotonic() + seconds * 1000
const { finding, inputs } = await fuzz({
  ...common,
  targets: [...createTargets(models), ...createVerifyTargets(), ...createFilterTargets(), ...services.map(({ target }) => target)],
  isOver: () => systemClock.monotonic() >= end,
})
await Promise.all(services.map(({ close }) => close()))
if (finding === undefined) process.stdout.write(`${inputs} inputs in ${seconds} s, seed ${seed}: nothing found; the canary was caught\n`)
else {
  process.stderr.write(
    `${finding.target}, seed ${seed}, input ${inputs}:\n${finding.problem}\ninput (base64): ${finding.input.toString('base64')}\n`,
  )
  process.exitCode = 1
}

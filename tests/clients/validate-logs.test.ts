// needs: aws
// `aws cloudtrail validate-logs`, unchanged, over thirty hours of a trail: it passes, and names each tampering.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { after, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type BucketObject, checkDigests, type PublicKey } from '../digest-check.ts'
import { awsEnvironment, SERVER_REGION, temporaryFolder } from '../server.ts'
import { SIMULATED_BUCKET, SIMULATED_REGIONS, SIMULATED_TRAIL, simulateTrail } from '../simulated-trail.ts'
import { runProgram } from './shell.ts'

const HOUR_MS = 3_600_000

const folder = temporaryFolder()
const trail = await simulateTrail()
after(async () => {
  await trail.close()
  folder.remove()
})

interface Verdict {
  readonly code: number | null
  readonly summary: string
  readonly problems: string
}

async function validate(region: string, from = trail.from, until = trail.until): Promise<Verdict> {
  const words = [
    'cloudtrail',
    'validate-logs',
    '--region',
    region,
    '--trail-arn',
    SIMULATED_TRAIL,
    '--start-time',
    from.toISOString(),
    '--end-time',
    until.toISOString(),
  ]
  const environment = awsEnvironment(trail.url)
  const { code, output, notes } = await runProgram('aws', words, { folder: folder.path, environment })
  return { code, summary: output, problems: notes }
}

const objects = await trail.objects()
const digests = checkDigests(SIMULATED_BUCKET, objects, trail.publicKeys().PublicKeyList as readonly PublicKey[])

test('the trail of thirty hours is valid in each region, with its stop, its late files and its new key', async () => {
  assert.ok(trail.until.getTime() - trail.from.getTime() >= 30 * HOUR_MS)
  for (const region of SIMULATED_REGIONS) {
    const own = digests.filter((digest) => digest.region === region)
    const [regular, backfill] = [own.filter(({ isBackfill }) => !isBackfill), own.filter(({ isBackfill }) => isBackfill)]
    assert.equal(regular.filter(({ previous }) => previous === null).length, 2, 'logging began twice')
    assert.ok(regular.length >= 27 && backfill.length >= 1)
    assert.equal(trail.publicKeys().PublicKeyList.length, 2 * SIMULATED_REGIONS.length)
    const { code, summary, problems } = await validate(region)
    const logs = own.flatMap(({ logFiles }) => logFiles).length
    assert.equal(code, 0, problems)
    assert.match(summary, new RegExp(`^${regular.length}/${regular.length} digest files valid$`, 'm'))
    assert.match(summary, new RegExp(`^${backfill.length}/${backfill.length} backfill digest files valid$`, 'm'))
    assert.match(summary, new RegExp(`^${logs}/${logs} log files valid$`, 'm'))
    assert.match(problems, /^\s*No log files were delivered by CloudTrail between \S+ and \S+\s*$/)
  }
})

/** A digest in the middle of a chain, with log files, and its neighbours. */
function middle() {
  const own = digests.filter((digest) => digest.region === SERVER_REGION && !digest.isBackfill)
  const at = own.findIndex((digest, index) => index > 20 && digest.previous !== null && digest.logFiles.length >= 2)
  const [before, chosen, following] = own.slice(at - 1, at + 2)
  assert.ok(before !== undefined && chosen !== undefined && following !== undefined)
  return { before, chosen, following }
}

function objectOf(key: string | undefined): BucketObject {
  const object = objects.find((one) => one.key === key)
  assert.ok(object !== undefined)
  return object
}

/** Validates with the tampering, and mends it. Everything else stays valid. */
async function tampered(changed: readonly (BucketObject | string)[], expected: readonly RegExp[]): Promise<void> {
  const { before, following } = middle()
  for (const object of changed) await (typeof object === 'string' ? trail.remove(object) : trail.put(object))
  const { code, summary, problems } = await validate(SERVER_REGION, new Date(before.start), new Date(following.end))
  for (const object of changed) await trail.put(objectOf(typeof object === 'string' ? object : object.key))
  assert.equal(code, 1, summary)
  for (const pattern of expected) assert.match(problems, pattern)
  assert.equal(
    problems
      .trim()
      .split('\n')
      .filter((line) => line.includes('INVALID')).length,
    expected.length,
    problems,
  )
}

const about = (key: string, what: string): RegExp => new RegExp(`s3://${SIMULATED_BUCKET}/${key}\tINVALID: ${what}`)
const edit = (object: BucketObject, from: RegExp, to: string): BucketObject => ({
  ...object,
  body: gzipSync(gunzipSync(object.body).toString().replace(from, to)),
})

test('a log edited, and a log deleted', async () => {
  const [first = '', second = ''] = middle().chosen.logFiles
  await tampered([edit(objectOf(first), /"eventName":"\w+"/, '"eventName":"Innocent"')], [about(first, "hash value doesn't match")])
  await tampered([second], [about(second, 'not found')])
})

test('a digest edited, and a digest in the middle deleted', async () => {
  const { key } = middle().chosen
  await tampered([edit(objectOf(key), /"hashValue":"..../, '"hashValue":"0000')], [about(key, 'signature verification failed')])
  await tampered([edit(objectOf(key), /"newestEventTime"/, '"newestEventtime"')], [about(key, 'signature verification failed')])
  await tampered([key], [about(key, 'not found')])
})

test('a digest signed again with another key', async () => {
  const object = objectOf(middle().chosen.key)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const bytes = gunzipSync(object.body)
  const { digestEndTime, previousDigestSignature } = JSON.parse(bytes.toString()) as Record<string, string>
  const hash = createHash('sha256').update(bytes).digest('hex')
  const text = [digestEndTime, `${SIMULATED_BUCKET}/${object.key}`, hash, previousDigestSignature].join('\n')
  const signature = sign('sha256', Buffer.from(text), privateKey).toString('hex')
  await tampered([{ ...object, metadata: { ...object.metadata, signature } }], [about(object.key, 'signature verification failed')])
})

test('two log files swapped', async () => {
  const [first = '', second = ''] = middle().chosen.logFiles
  const swapped = [
    { ...objectOf(first), body: objectOf(second).body },
    { ...objectOf(second), body: objectOf(first).body },
  ]
  await tampered(swapped, [about(first, "hash value doesn't match"), about(second, "hash value doesn't match")])
})

test('a digest backdated to the hour before', async () => {
  const { before, chosen } = middle()
  await tampered([{ ...objectOf(chosen.key), key: before.key }], [about(before.key, 'has been moved from its original location')])
})

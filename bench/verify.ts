// What does it cost to verify a trail's files, against what cannot be saved: unpacking them and hashing what they hold? CPU time of both
// over the same files in one run, after a warm-up, and their ratio. Heap at the end tells whether memory stays flat.
//   node bin/node26.js bench/verify.ts [--files 2000] [--records 60]
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createGunzip, gunzipSync, gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import {
  digestKey,
  digestKeyFingerprint,
  digestPublicKeyDer,
  digestStringToSign,
  formatDigest,
  type DigestLink,
} from '../src/model/digest.ts'
import { logFileKey } from '../src/model/log-file.ts'
import { PublicKeys } from '../src/verify/public-keys.ts'
import type { Source } from '../src/verify/source.ts'
import { verify } from '../src/verify/verify.ts'

const { values } = parseArgs({ options: { files: { type: 'string', default: '2000' }, records: { type: 'string', default: '60' } } })
const [FILES, RECORDS] = [Number(values.files), Number(values.records)]
const FILES_PER_DIGEST = 12
const ACCOUNT = '111122223333'
const REGION = 'eu-west-1'
const START = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

interface Stored {
  readonly bytes: Buffer
  readonly metadata: Readonly<Record<string, string>>
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const der = digestPublicKeyDer(createPublicKey(privateKey))
const objects = new Map<string, Stored>()
const logs: string[] = []
build()

const source: Source = {
  ...{ place: 's3://logs/', bucket: 'logs', prefix: '' },
  async *list() {
    for (const [name, { bytes }] of [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) yield { name, bytes: bytes.length }
  },
  read: async (name) => objects.get(name)?.bytes,
  metadata: async (name) => objects.get(name)?.metadata,
}

for (let warmUp = 0; warmUp < 2; warmUp++) await Promise.all([plain(), streamed(), verified()])
const rounds = [await round(), await round(), await round()]
const median = (of: (one: (typeof rounds)[number]) => number): number => rounds.map(of).toSorted((a, b) => a - b)[1] ?? 0
const [sync, piped, ours] = [median((one) => one.plain), median((one) => one.streamed), median((one) => one.verified)]
process.stdout.write(
  `${FILES} log files of ${RECORDS} records, ${objects.size - FILES} digests\n` +
    `gunzipSync + SHA-256        ${sync.toFixed(0)} ms of CPU\n` +
    `gunzip stream + SHA-256     ${piped.toFixed(0)} ms of CPU\n` +
    `sealcast verify             ${ours.toFixed(0)} ms of CPU: ${(ours / sync).toFixed(2)} times the first\n` +
    `heap in use                 ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB\n`,
)

async function round(): Promise<{ readonly plain: number; readonly streamed: number; readonly verified: number }> {
  return { plain: await cpuOf(plain), streamed: await cpuOf(streamed), verified: await cpuOf(verified) }
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function plain(): Promise<void> {
  for (const { bytes } of objects.values()) createHash('sha256').update(gunzipSync(bytes)).digest('hex')
}

async function streamed(): Promise<void> {
  for (const { bytes } of objects.values()) {
    const hash = createHash('sha256')
    for await (const piece of Readable.from([bytes], { objectMode: false }).pipe(createGunzip())) hash.update(piece as Buffer)
    hash.digest('hex')
  }
}

async function verified(): Promise<void> {
  const keys = new PublicKeys()
  keys.add({ PublicKeyList: [{ Value: der.toString('base64') }] })
  const report = await verify({ source, keys, complete: new Set(), tool: 'bench', now: () => 0, given: {} })
  if (!report.clean || report.counts.logsProved !== FILES) throw new Error(`not clean: ${JSON.stringify(report.findings[0])}`)
}

function build(): void {
  let previous: DigestLink | undefined
  for (let hour = 0; hour * FILES_PER_DIGEST < FILES; hour++) {
    const [startsAt, endsAt] = [START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS]
    const files = Array.from({ length: Math.min(FILES_PER_DIGEST, FILES - hour * FILES_PER_DIGEST) }, (_, at) =>
      addLog(startsAt + at * 300_000),
    )
    const name = { keyPrefix: '', account: ACCOUNT, region: REGION, trailName: 'all', homeRegion: REGION, endsAt, isBackfill: false }
    const objectKey = digestKey(name)
    const content = formatDigest({
      ...{ account: ACCOUNT, startsAt, endsAt, bucketName: 'logs', objectKey, fingerprint: digestKeyFingerprint(der) },
      ...{ previous, logFiles: files.reverse() },
    })
    const hash = createHash('sha256').update(content).digest('hex')
    const end = `${new Date(endsAt).toISOString().slice(0, 19)}Z`
    const place = { digestEndTime: end, digestS3Bucket: 'logs', digestS3Object: objectKey }
    const text = digestStringToSign({ ...place, hash, previousDigestSignature: previous?.signature ?? null })
    const signature = sign('sha256', Buffer.from(text), privateKey).toString('hex')
    objects.set(objectKey, { bytes: gzipSync(content), metadata: { signature, 'signature-algorithm': 'SHA256withRSA' } })
    previous = { bucketName: 'logs', objectKey, hash, signature }
  }
}

function addLog(at: number) {
  const time = `${new Date(at).toISOString().slice(0, 19)}Z`
  const records = Array.from({ length: RECORDS }, (_, index) => recordOf(time, `${at} ${index}`))
  const content = Buffer.from(`{"Records":[${records.join(',')}]}`)
  const s3Object = logFileKey({ keyPrefix: '', account: ACCOUNT, region: REGION, deliveredAt: at, unique: hexOf(String(at)).slice(0, 16) })
  objects.set(s3Object, { bytes: gzipSync(content), metadata: {} })
  logs.push(s3Object)
  const hashValue = createHash('sha256').update(content).digest('hex')
  return { s3Bucket: 'logs', s3Object, hashValue, hashAlgorithm: 'SHA-256', newestEventTime: time, oldestEventTime: time } as const
}

/** About as long and as varied as real ones. */
function recordOf(eventTime: string, seed: string): string {
  const id = hexOf(seed)
  const arn = `arn:aws:sns:${REGION}:${ACCOUNT}:orders-${id.slice(0, 6)}`
  const key = `AKIA${id.slice(8, 24).toUpperCase()}`
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${id.slice(30, 46)}`,
      arn: `arn:aws:iam::${ACCOUNT}:user/u`,
      accountId: ACCOUNT,
      accessKeyId: key,
    },
    ...{
      eventTime,
      eventSource: 'sns.amazonaws.com',
      eventName: 'Publish',
      awsRegion: REGION,
      sourceIPAddress: `10.0.${id.charCodeAt(0)}.7`,
    },
    userAgent: 'aws-sdk-js/3.1137.0 ua/2.1 os/linux#6.8.0 lang/js md/nodejs#26.10.0 api/sns#3.1137.0 m/E,n',
    requestParameters: { topicArn: arn, message: 'HIDDEN_DUE_TO_SECURITY_REASONS', subject: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
    responseElements: { messageId: uuidOf(hexOf(`${seed} m`)) },
    ...{ requestID: uuidOf(hexOf(`${seed} r`)), eventID: uuidOf(id), readOnly: false },
    resources: [{ accountId: ACCOUNT, type: 'AWS::SNS::Topic', ARN: arn }],
    ...{ eventType: 'AwsApiCall', managementEvent: false, recipientAccountId: ACCOUNT, eventCategory: 'Data' },
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: 'sns.example.com' },
  })
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

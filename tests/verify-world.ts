// A trail's files as CloudTrail leaves them in a bucket, made from the documented formats alone: hourly digests, five-minute log files, and
// a tree over the same events. Tests tamper with the files and ask the verifier.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { EventClass } from '../src/model/entry.ts'
import { signCheckpoint } from '../src/model/tlog/checkpoint.ts'
import { eventLeaf } from '../src/model/tlog/event-leaf.ts'
import { leafHash, rootHash } from '../src/model/tlog/merkle.ts'
import { type NoteSigner, noteSigner } from '../src/model/tlog/signed-note.ts'
import { encodeBundle, subtreeHash, TILE_WIDTH, tilePath } from '../src/model/tlog/tiles.ts'
import { PublicKeys } from '../src/verify/public-keys.ts'
import type { VerifyReport } from '../src/verify/report.ts'
import type { Source } from '../src/verify/source.ts'
import { verify, type VerifyOptions } from '../src/verify/verify.ts'

export const ACCOUNT = '111122223333'
const BUCKET = 'logs'
const HOUR = 3_600_000
export const START = Date.UTC(2026, 0, 2, 8, 1, 31)

export interface TrailFiles {
  /** By object key. */
  readonly objects: Map<string, { bytes: Buffer; metadata: Record<string, string> }>
  /** Keys, oldest first. */
  readonly digests: string[]
  readonly logs: string[]
  readonly events: Buffer[]
  readonly keyList: object
  readonly privateKey: KeyObject
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const stamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

export function makeKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

export function fingerprintOf(key: KeyObject): string {
  return createHash('md5').update(derOf(key)).digest('hex')
}

function derOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'pkcs1', format: 'der' })
}

export function makeTrail({ hours = 30, perHour = 2, privateKey = makeKey() } = {}): TrailFiles {
  const trail: TrailFiles = {
    ...{ objects: new Map(), digests: [], logs: [], events: [], privateKey },
    keyList: { PublicKeyList: [{ Value: derOf(privateKey).toString('base64'), Fingerprint: fingerprintOf(privateKey) }] },
  }
  for (let hour = 0; hour < hours; hour++) {
    const logFiles: object[] = []
    // Some hours are empty.
    for (let file = 0; hour % 5 !== 3 && file < perHour; file++) logFiles.unshift(addLog(trail, START + hour * HOUR + (file + 1) * 600_000))
    addDigest(trail, START + hour * HOUR, logFiles)
  }
  return trail
}

function addLog(trail: TrailFiles, at: number): object {
  const events = Array.from({ length: 3 }, (_, index) =>
    Buffer.from(
      JSON.stringify({
        ...{ eventVersion: '1.11', userIdentity: { type: 'Root' }, eventTime: stamp(at - 300_000 + index * 1000) },
        ...{ eventSource: 'sns.amazonaws.com', eventName: 'CreateTopic', awsRegion: 'eu-west-1', requestParameters: { name: `t${index}` } },
        ...{
          eventID: `${sha(Buffer.from(`${at} ${index}`)).slice(0, 8)}-1111-4222-8333-${sha(Buffer.from(`${index} ${at}`)).slice(0, 12)}`,
        },
        ...{ readOnly: false, managementEvent: true, recipientAccountId: ACCOUNT, eventCategory: 'Management' },
      }),
    ),
  )
  trail.events.push(...events)
  const content = Buffer.from(`{"Records":[${events.join(',')}]}`)
  const time = stamp(at)
  const key =
    `AWSLogs/${ACCOUNT}/CloudTrail/eu-west-1/${time.slice(0, 10).replaceAll('-', '/')}/` +
    `${ACCOUNT}_CloudTrail_eu-west-1_${time.slice(0, 16).replaceAll(/[-:]/g, '')}Z_${sha(content).slice(0, 16)}.json.gz`
  trail.objects.set(key, { bytes: gzipSync(content), metadata: {} })
  trail.logs.push(key)
  return {
    ...{ s3Bucket: BUCKET, s3Object: key, hashValue: sha(content), hashAlgorithm: 'SHA-256' },
    ...{ newestEventTime: stamp(at - 298_000), oldestEventTime: stamp(at - 300_000) },
  }
}

function addDigest(trail: TrailFiles, from: number, logFiles: readonly object[]): void {
  const end = stamp(from + HOUR)
  const key =
    `AWSLogs/${ACCOUNT}/CloudTrail-Digest/eu-west-1/${end.slice(0, 10).replaceAll('-', '/')}/` +
    `${ACCOUNT}_CloudTrail-Digest_eu-west-1_all_eu-west-1_${end.replaceAll(/[-:]/g, '')}.json.gz`
  const before = trail.digests.at(-1)
  const previous = before === undefined ? undefined : trail.objects.get(before)
  const content = Buffer.from(
    JSON.stringify({
      ...{ awsAccountId: ACCOUNT, digestStartTime: stamp(from), digestEndTime: end, digestS3Bucket: BUCKET, digestS3Object: key },
      ...{ digestPublicKeyFingerprint: fingerprintOf(trail.privateKey), digestSignatureAlgorithm: 'SHA256withRSA' },
      ...{ newestEventTime: null, oldestEventTime: null, previousDigestS3Bucket: previous === undefined ? null : BUCKET },
      ...{
        previousDigestS3Object: before ?? null,
        previousDigestHashValue: previous === undefined ? null : sha(gunzipSync(previous.bytes)),
      },
      ...{ previousDigestHashAlgorithm: previous === undefined ? null : 'SHA-256' },
      ...{ previousDigestSignature: previous?.metadata['signature'] ?? null, logFiles },
    }),
  )
  trail.objects.set(key, { bytes: gzipSync(content), metadata: signatureOf(content, trail.privateKey) })
  trail.digests.push(key)
}

/** The metadata of a digest object, by the documented string. */
export function signatureOf(content: Buffer, key: KeyObject): Record<string, string> {
  const digest = JSON.parse(content.toString()) as Record<string, string | null>
  const text =
    `${digest['digestEndTime']}\n${digest['digestS3Bucket']}/${digest['digestS3Object']}\n${sha(content)}\n` +
    (digest['previousDigestSignature'] ?? 'null')
  return { signature: sign('sha256', Buffer.from(text), key).toString('hex'), 'signature-algorithm': 'SHA256withRSA' }
}

/** Rewrites a file's content; its metadata stay. */
export function edit({ objects }: TrailFiles, key: string, change: (content: string) => string): void {
  const object = objects.get(key)
  if (object !== undefined) object.bytes = gzipSync(Buffer.from(change(gunzipSync(object.bytes).toString())))
}

export function sourceOf({ objects }: TrailFiles, more: Partial<Source> = {}): Source {
  return {
    ...{ place: 's3://logs', bucket: BUCKET, prefix: '' },
    async *list() {
      for (const name of [...objects.keys()].toSorted()) yield { name, bytes: objects.get(name)?.bytes.length ?? 0 }
    },
    read: async (name) => objects.get(name)?.bytes,
    metadata: async (name) => objects.get(name)?.metadata,
    ...more,
  }
}

export async function verifyTrail(trail: TrailFiles, more: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  const keys = new PublicKeys()
  keys.add(trail.keyList)
  return verify({ source: sourceOf(trail), keys, complete: new Set(), tool: 'test', now: () => START, given: {}, ...more })
}

/** `code file` of what is broken. */
export function brokenIn({ findings }: VerifyReport): string[] {
  return findings.filter(({ grade }) => grade === 'broken').map(({ code, file }) => `${code} ${file}`)
}

export interface TreeFiles {
  readonly files: Map<string, Buffer>
  readonly signer: NoteSigner
  /** A checkpoint over the first `size` events. */
  sign(size: number, extensions?: readonly string[]): Buffer
}

/** The tree over events, as a static log. */
export function makeTree(events: readonly Buffer[]): TreeFiles {
  const leaves = events.map((event) => Buffer.from(eventLeaf(EventClass.aws, event)))
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signer = noteSigner('sealcast/test', pem)
  const hashes = Buffer.concat(leaves.map(leafHash))
  const sign = (size: number, extensions: readonly string[] = []): Buffer => {
    const root = rootHash(size, (level, index) => subtreeHash(hashes, index * 2 ** level, 2 ** level))
    return Buffer.from(signCheckpoint({ size, root }, extensions, signer))
  }
  const files = new Map([['checkpoint', sign(leaves.length)]])
  for (let index = 0; index * TILE_WIDTH < leaves.length; index++) {
    const bundle = leaves.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
    files.set(tilePath({ level: 'entries', index, width: bundle.length }), encodeBundle(bundle))
  }
  return { files, signer, sign }
}

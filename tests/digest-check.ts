// Checks a bucket's digests as their format is documented: signatures, links, windows, and that every log file is listed exactly once.
// Written from the documents and apart from what writes them.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

export interface BucketObject {
  readonly key: string
  readonly body: Buffer
  /** x-amz-meta-* without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface PublicKey {
  /** Base64 of DER. */
  readonly Value: string
  readonly Fingerprint: string
}

export interface ReadDigest {
  readonly key: string
  readonly region: string
  readonly isBackfill: boolean
  readonly start: string
  readonly end: string
  readonly previous: string | null
  readonly logFiles: readonly string[]
}

type Content = Readonly<Record<string, string | null>> & { readonly logFiles: readonly Readonly<Record<string, string>>[] }

/** Asserts that all digests are in order and list all log files of `objects`; returns them, oldest first by key. */
export function checkDigests(bucket: string, objects: readonly BucketObject[], keys: readonly PublicKey[]): readonly ReadDigest[] {
  const byKey = new Map(objects.map((object) => [object.key, object]))
  const listed: string[] = []
  const contents = new Map<string, { content: Content; bytes: Buffer; signature: string }>()
  const digests = objects.filter(({ key }) => key.includes('/CloudTrail-Digest/'))
  for (const { key, body, metadata } of digests) {
    const bytes = gunzipSync(body)
    const content = JSON.parse(bytes.toString()) as Content
    assert.deepEqual([content['digestS3Bucket'], content['digestS3Object']], [bucket, key])
    const signer = keys.find(({ Fingerprint }) => Fingerprint === content['digestPublicKeyFingerprint'])
    assert.ok(signer !== undefined, `the key of ${key} is listed`)
    const { signature = '', 'signature-algorithm': algorithm } = metadata
    assert.deepEqual([algorithm, content['digestSignatureAlgorithm']], ['SHA256withRSA', 'SHA256withRSA'])
    const signed = [content['digestEndTime'], `${bucket}/${key}`, sha256(bytes), content['previousDigestSignature'] ?? 'null'].join('\n')
    const publicKey = createPublicKey({ key: Buffer.from(signer.Value, 'base64'), type: 'pkcs1', format: 'der' })
    assert.ok(verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'hex')), `the signature of ${key} holds`)
    const stamp = /_(\d{8}T\d{6}Z)(_backfill)?\.json\.gz$/.exec(key)
    assert.equal(stamp?.[1], content['digestEndTime']?.replaceAll(/[-:]/g, ''))
    assert.equal(stamp?.[2] !== undefined, metadata['backfill-generation-timestamp'] !== undefined)
    contents.set(key, { content, bytes, signature })
    for (const { s3Bucket, s3Object = '', hashValue } of content.logFiles) {
      const file = byKey.get(s3Object)
      assert.ok(s3Bucket === bucket && file !== undefined, `${s3Object} is in the bucket`)
      assert.equal(hashValue, sha256(gunzipSync(file.body)), s3Object)
      listed.push(s3Object)
    }
  }
  for (const { content } of contents.values()) {
    const previous = content['previousDigestS3Object']
    if (previous === null || previous === undefined) continue
    const before = contents.get(previous)
    assert.ok(before !== undefined, `${previous} is in the bucket`)
    assert.deepEqual(
      [content['previousDigestSignature'], content['previousDigestHashValue'], content['previousDigestHashAlgorithm']],
      [before.signature, sha256(before.bytes), 'SHA-256'],
    )
    if (!String(content['digestS3Object']).includes('_backfill')) assert.equal(content['digestStartTime'], before.content['digestEndTime'])
  }
  const read = [...contents].map(([key, { content }]) => readDigest(key, content))
  const due = objects.map(({ key }) => key).filter((key) => key.includes('/CloudTrail/') && !isOfOpenWindow(key, read))
  assert.deepEqual(new Set(due).difference(new Set(listed)), new Set(), 'each log file is listed')
  assert.equal(new Set(listed).size, listed.length, 'and none twice')
  assertApart(read.filter(({ isBackfill }) => !isBackfill))
  return read
}

/** The digest of its time is still to come. */
function isOfOpenWindow(key: string, digests: readonly ReadDigest[]): boolean {
  const [, region, stamp = ''] = /_CloudTrail_([^_]+)_(\d{8}T\d{4})Z_/.exec(key) ?? []
  const ends = digests.filter((digest) => digest.region === region && !digest.isBackfill).map(({ end }) => end.replaceAll(/[-:]/g, ''))
  return ends.every((end) => end.slice(0, 13) <= stamp)
}

/** No two windows of a region overlap. */
function assertApart(digests: readonly ReadDigest[]): void {
  for (const region of new Set(digests.map((digest) => digest.region))) {
    const own = digests.filter((digest) => digest.region === region).toSorted((a, b) => (a.end < b.end ? -1 : 1))
    for (const [at, { start, end }] of own.entries()) {
      assert.ok(start < end)
      assert.ok(at === 0 || start >= (own[at - 1]?.end ?? ''), `the window from ${start} begins behind the one before`)
    }
  }
}

function readDigest(key: string, content: Content): ReadDigest {
  return {
    key,
    region: /\/CloudTrail-Digest\/([^/]+)\//.exec(key)?.[1] ?? '',
    isBackfill: key.includes('_backfill'),
    start: content['digestStartTime'] ?? '',
    end: content['digestEndTime'] ?? '',
    previous: content['previousDigestS3Object'] ?? null,
    logFiles: content.logFiles.map(({ s3Object = '' }) => s3Object),
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

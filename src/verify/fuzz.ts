// What the fuzzer (scripts/fuzz.ts) throws mutated bytes at besides the wire: everything of the verifier and of the proofs that reads
// bytes. None of it may throw; what is wrong with the bytes is told in words.
import { gzipSync } from 'node:zlib'
import { openCheckpoint } from '../model/tlog/checkpoint.ts'
import { parseLeaf } from '../model/tlog/event-leaf.ts'
import { isGrown, isIncluded, leafHash } from '../model/tlog/merkle.ts'
import { parseProof } from '../model/tlog/proof.ts'
import { parseVerifierKey, splitNotes } from '../model/tlog/signed-note.ts'
import { decodeBundle, encodeBundle, parseTilePath } from '../model/tlog/tiles.ts'
import { readDigest } from './digest-file.ts'
import { parseLogName } from './log-name.ts'
import { PublicKeys } from './public-keys.ts'
import { Records } from './records.ts'
import { Findings } from './report.ts'
import { unpack } from './unpack.ts'

export interface VerifyFuzzTarget {
  readonly name: string
  readonly seeds: readonly Buffer[]
  readonly run: (input: Buffer) => unknown
}

const HASH = 'ab'.repeat(32)
const ROOT = 'q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s='
const TIMES = '"digestStartTime":"2026-01-02T08:01:31Z","digestEndTime":"2026-01-02T09:01:31Z","digestS3Bucket":"b","digestS3Object":"k"'
const PREVIOUS = '"previousDigestS3Bucket":"b","previousDigestS3Object":"j","previousDigestHashValue":"00","previousDigestSignature":"00"'
const FILE = `{"s3Bucket":"b","s3Object":"l","hashValue":"${HASH}","hashAlgorithm":"SHA-256","newestEventTime":null,"oldestEventTime":null}`
const DIGEST = Buffer.from(`{"awsAccountId":"1",${TIMES},"digestPublicKeyFingerprint":"f",${PREVIOUS},"logFiles":[${FILE},${FILE}]}`)
const LOG = Buffer.from('{"Records":[{"eventVersion":"1.11","eventID":"a"},{"eventVersion":"1.11","requestParameters":{"a":"b\\"c"}}]}')
const KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const NOTE = Buffer.from(`sealcast/1\n7\n${ROOT}\ncensus\n\n\u2014 sealcast/1 ${Buffer.alloc(68, 7).toString('base64')}\n`)
const LEAF = Buffer.from(`sealcast/1 aws data 000000000001 us-east-1 2026-01-02T03:04:05Z 6fdc57bf-248f-46e2-80da-7954820a27a3 ${HASH}`)
const PROOF = Buffer.concat([Buffer.from(`c2sp.org/tlog-proof@v1\nextra ${LEAF.toString('base64')}\nindex 3\n${ROOT}\n${ROOT}\n\n`), NOTE])
const GROWTH = Buffer.from(
  `sealcast-growth-proof@v1\nolder ${NOTE.toString('base64')}\nnewer ${NOTE.toString('base64')}\n${ROOT}\n${ROOT}\n`,
)

export function createVerifyTargets(): VerifyFuzzTarget[] {
  const key = parseVerifierKey(KEY)
  const keys = key === undefined ? [] : [key]
  return [
    { name: 'digest', seeds: [DIGEST], run: readDigest },
    { name: 'packed file', seeds: [gzipSync(DIGEST), gzipSync(LOG)], run: (input) => unpack(input) },
    {
      name: 'log file',
      seeds: [LOG],
      run(input) {
        const records = new Records(new Findings(), undefined, true)
        records.take('sealed', input, true)
        records.take('unsealed', input, false)
        records.close()
      },
    },
    {
      name: 'public keys',
      seeds: [Buffer.from('{"PublicKeyList":[{"Value":"MIIBCg=="}]}')],
      run: (input) => new PublicKeys().add(jsonOf(input)),
    },
    { name: 'checkpoint', seeds: [NOTE], run: (input) => splitNotes(input).map((note) => openCheckpoint(note, keys)) },
    {
      name: 'proof',
      seeds: [PROOF, GROWTH],
      run(input) {
        const proof = parseProof(input)
        if ('problem' in proof) return
        const head = { size: 7, root: Buffer.alloc(32) }
        if (proof.kind === 'growth') isGrown({ size: 3, root: head.root }, head, proof.hashes)
        else isIncluded(leafHash(proof.leaf), proof.index, head, proof.hashes)
      },
    },
    { name: 'bundle', seeds: [encodeBundle([LEAF, LEAF])], run: (input) => decodeBundle(input)?.map(parseLeaf) },
    {
      name: 'names',
      seeds: [
        Buffer.from('tile/0/x001/x234/067.p/12'),
        Buffer.from('AWSLogs/1/CloudTrail/r/2026/01/02/1_CloudTrail_r_20260102T0000Z_a.json.gz'),
      ],
      run: (input) => [parseTilePath(input.toString()), parseLogName(input.toString())],
    },
  ]
}

function jsonOf(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString('utf8'))
  } catch {
    return undefined
  }
}

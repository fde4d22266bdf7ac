import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { EventClass } from '../../model/entry.ts'
import { signCheckpoint } from '../../model/tlog/checkpoint.ts'
import { eventLeaf } from '../../model/tlog/event-leaf.ts'
import { consistencyProof, inclusionProof, leafHash, rootHash, type SubtreeReader } from '../../model/tlog/merkle.ts'
import { formatGrowthProof, formatInclusionProof, type InclusionProof } from '../../model/tlog/proof.ts'
import { noteSigner } from '../../model/tlog/signed-note.ts'
import { subtreeHash } from '../../model/tlog/tiles.ts'
import { folderSource } from './folder.ts'
import { checkProof } from './proof.ts'

const signer = noteSigner('sealcast/t', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
const events = Array.from({ length: 11 }, (_, at) =>
  Buffer.from(JSON.stringify({ eventID: `id-${at}`, eventTime: '2026-01-02T03:04:05Z' })),
)
const leaves = events.map((event) => Buffer.from(eventLeaf(EventClass.aws, event)))
const hashes = Buffer.concat(leaves.map(leafHash))
const read: SubtreeReader = (level, index) => subtreeHash(hashes, index * 2 ** level, 2 ** level)
const checkpoint = (size: number): Buffer => Buffer.from(signCheckpoint({ size, root: rootHash(size, read) }, [], signer))

function proofOf(index: number, change: Partial<InclusionProof> = {}): Buffer {
  const [leaf, event] = [leaves[index] ?? assert.fail(), events[index]]
  return formatInclusionProof({ index, hashes: inclusionProof(index, 11, read), leaf, event, checkpoint: checkpoint(11), ...change })
}

test('a proof holds for its event, its place and its key, and for nothing else', () => {
  const checked = checkProof(proofOf(4), [signer])
  assert.ok(checked.holds)
  assert.equal(checked.says, 'event id-4 of 2026-01-02T03:04:05Z is number 4 of the 11 that sealcast/t signed for')
  assert.equal(checked.event, events[4]?.toString())
  assert.match(JSON.stringify(checkProof(proofOf(4, { event: undefined }), [signer])), /its SHA-256 is/)
  const whyNot: [Buffer, RegExp][] = [
    [proofOf(4, { index: 5 }), /do not lead from its leaf/],
    [proofOf(4, { event: events[5] }), /is not the one that its leaf commits to/],
    [proofOf(4, { leaf: leaves[5] ?? assert.fail() }), /do not lead from its leaf/],
    [proofOf(4, { checkpoint: checkpoint(10) }), /do not lead from its leaf/],
    [proofOf(4, { checkpoint: Buffer.from('sealcast/t\n11\n') }), /no signed note/],
    [Buffer.from('{}'), /begins neither with/],
  ]
  for (const [proof, why] of whyNot) {
    const refused = checkProof(proof, [signer])
    assert.ok(!refused.holds)
    assert.match(refused.why, why)
  }
  assert.match(JSON.stringify(checkProof(proofOf(4), [])), /none of the keys given signed it/)
})

test('a proof of growth holds for one record that grew', () => {
  const growth = (from: number, to: number): Buffer =>
    formatGrowthProof({ hashes: consistencyProof(from, to, read), older: checkpoint(from), newer: checkpoint(to) })
  assert.match(JSON.stringify(checkProof(growth(3, 11), [signer])), /grew from 3 to 11 events/)
  const other = formatGrowthProof({ hashes: consistencyProof(3, 11, read), older: checkpoint(4), newer: checkpoint(11) })
  assert.match(JSON.stringify(checkProof(other, [signer])), /does not begin with the older/)
})

test('a folder gives its files in the order of keys, and metadata that lie beside a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-folder-'))
  try {
    for (const name of ['a/b/1', 'a/b-c/2', 'a/b.d', 'z']) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), name)
    }
    writeFileSync(join(folder, 'z.metadata.json'), '{"Metadata":{"Signature":"00"}}')
    writeFileSync(join(folder, 'a/b.d.metadata.json'), '{"x-amz-meta-signature":"11"}')
    writeFileSync(join(folder, 'a/b/1.metadata.json'), 'noise')
    const source = folderSource(folder)
    const names: string[] = []
    for await (const { name } of source.list('')) names.push(name)
    assert.deepEqual(names, ['a/b-c/2', 'a/b.d', 'a/b/1', 'z'])
    assert.deepEqual(await source.metadata('z'), { signature: '00' })
    assert.deepEqual(await source.metadata('a/b.d'), { signature: '11' })
    assert.equal(await source.metadata('a/b/1'), undefined)
    assert.equal(String(await source.read('z', 10)), 'z')
    assert.equal(await source.read('absent', 10), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

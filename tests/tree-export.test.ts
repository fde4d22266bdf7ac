// The tree as a static log in a folder, as `sealcast tree export` writes it and goes on with it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { openCheckpoint } from '../src/model/tlog/checkpoint.ts'
import { leafHash, rootHash } from '../src/model/tlog/merkle.ts'
import { parseVerifierKey } from '../src/model/tlog/signed-note.ts'
import { decodeBundle, subtreeHash } from '../src/model/tlog/tiles.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

function folderFor(t: TestContext): string {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  return folder.path
}

/** The size of the log in a folder, whose leaves were found to be what its checkpoint says. */
function sizeOf(folder: string, verifierKeys: string): number {
  const keys = verifierKeys.split('\n').flatMap((line) => parseVerifierKey(line) ?? [])
  const opened = openCheckpoint(readFileSync(join(folder, 'checkpoint')), keys)
  assert.ok('checkpoint' in opened && opened.signers.length === 1)
  const { size, root } = opened.checkpoint
  const leaves: Buffer[] = []
  for (let index = 0; leaves.length < size; index++) {
    const stem = `tile/entries/${String(index).padStart(3, '0')}`
    const name = size - leaves.length >= 256 ? stem : `${stem}.p/${size - leaves.length}`
    leaves.push(...(decodeBundle(readFileSync(join(folder, name))) ?? []))
  }
  const hashes = Buffer.concat(leaves.map((leaf) => leafHash(leaf)))
  assert.deepEqual(
    rootHash(leaves.length, (level, index) => subtreeHash(hashes, index * 2 ** level, 2 ** level)),
    root,
  )
  return size
}

test('an export is a whole static log, and the next one adds to it', async (t) => {
  const data = folderFor(t)
  const server = await startTestServer({ data })
  t.after(() => server.kill())
  const sns = new SNS(clientConfig(server.url))
  const call = (times: number): Promise<unknown> => Promise.all(Array.from({ length: times }, () => sns.listTopics({})))
  const folder = join(folderFor(t), 'log')
  const exported = (to = folder) => runCommand(['tree', 'export', to, '--data', data])
  const keys = (await runCommand(['tree', 'keys', '--data', data])).output
  await call(20)
  const first = await exported()
  assert.equal(first.code, 0, first.notes)
  const before = sizeOf(folder, keys)
  assert.ok(before > 20)
  assert.equal(first.output, `${before} events in ${folder}; 3 files written\n`)
  await call(300)
  assert.equal((await exported()).code, 0)
  const after = sizeOf(folder, keys)
  assert.ok(after >= before + 300)
  assert.ok(!existsSync(join(folder, 'tile/entries/000.p')), 'narrow tiles go when the full one is there')
  // Also without a server; and what is there is not written again.
  assert.equal(await server.stop(), 0)
  const third = await exported()
  assert.match(third.output, /; 3 files written\n$/)
  assert.ok(sizeOf(folder, keys) > after)

  await t.test('into a folder of something else, or of another tree, nothing is written', async () => {
    const strange = folderFor(t)
    writeFileSync(join(strange, 'thesis.txt'), 'mine')
    assert.match((await exported(strange)).notes, /is not empty and no exported tree; give another folder/)
    const forged = readFileSync(join(folder, 'checkpoint'), 'utf8').replace(/^sealcast\/\w+/, 'sealcast/0000000000000000')
    writeFileSync(join(strange, 'checkpoint'), forged)
    const other = await exported(strange)
    assert.equal(other.code, 1)
    assert.match(other.notes, /Checkpoint: (a signature on it does not hold|no key of this server signed it)/)
    assert.deepEqual(readdirSync(strange).toSorted(), ['checkpoint', 'thesis.txt'])
    assert.equal((await runCommand(['tree', 'export', '--data', data])).code, 2)
  })
})

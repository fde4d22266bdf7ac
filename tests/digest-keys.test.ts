// The operator's hand on the keys of digests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand, temporaryFolder } from './server.ts'

test('digests rotate-key makes a new key, and digests keys tells all that ever signed', async () => {
  const folder = temporaryFolder()
  try {
    const run = async (...words: string[]) => {
      const { code, output, notes } = await runCommand(['digests', ...words, '--data', folder.path])
      assert.equal(code, 0, notes)
      return JSON.parse(output) as { PublicKeyList: Record<string, string>[]; Region: string; Fingerprint: string }
    }
    const first = await run('rotate-key')
    const second = await run('rotate-key', '--region', 'us-east-1')
    assert.deepEqual([first.Region, second.Region], ['us-east-1', 'us-east-1'])
    const { PublicKeyList: keys } = await run('keys')
    assert.deepEqual(new Set(keys.map((key) => key['Fingerprint'])), new Set([first.Fingerprint, second.Fingerprint]))
    for (const key of keys) assert.equal(Buffer.from(key['Value'] ?? '', 'base64').length, 270)
    assert.deepEqual(await run('keys', '--region', 'eu-west-1'), { PublicKeyList: [] })
    const refused = await runCommand(['digests', 'rotate-key', '--region', 'nowhere', '--data', folder.path])
    assert.equal(refused.code, 1)
    assert.match(refused.notes, /the region nowhere is not served/)
  } finally {
    folder.remove()
  }
})

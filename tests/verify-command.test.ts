// What `sealcast verify` says of a copy on disk with its exit code, for the scripts that go by it.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runCommand, temporaryFolder } from './server.ts'
import { makeTrail } from './verify-world.ts'

test('the exit code tells proved from unproved and broken; what is accepted as unproved is told and not held against it', async (t) => {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  const { objects, digests, logs, keyList } = makeTrail({ hours: 3 })
  const place = (key: string): string => join(folder.path, 'copy', key)
  for (const [key, { bytes, metadata }] of objects) {
    mkdirSync(dirname(place(key)), { recursive: true })
    writeFileSync(place(key), bytes)
    if (digests.includes(key)) writeFileSync(`${place(key)}.metadata.json`, JSON.stringify({ Metadata: metadata }))
  }
  writeFileSync(join(folder.path, 'keys.json'), JSON.stringify(keyList))
  const verify = async (...words: readonly string[]) => {
    const { code, output, notes } = await runCommand([
      'verify',
      join(folder.path, 'copy'),
      '--public-keys',
      join(folder.path, 'keys.json'),
      ...words,
    ])
    return [code, /(?:all is proved|NOT ALL IS PROVED|BROKEN|--accept nonsense).*/.exec(output + notes)?.[0]]
  }

  assert.deepEqual(await verify(), [0, 'all is proved (0 unproved, 0 notes)'])
  const newest = digests.at(-1) ?? ''
  rmSync(`${place(newest)}.metadata.json`)
  assert.deepEqual(await verify(), [3, 'NOT ALL IS PROVED (1 unproved, 0 notes)'])
  assert.deepEqual(await verify('--accept', 'digest-unproved'), [0, 'all is proved (1 unproved, 1 of them as expected, 0 notes)'])
  const { output } = await runCommand(['verify', join(folder.path, 'copy'), '--public-keys', join(folder.path, 'keys.json'), '--json'])
  const { verdict, clean, accepted } = JSON.parse(output) as Record<string, unknown>
  assert.deepEqual({ verdict, clean, accepted }, { verdict: 'unproved', clean: true, accepted: 0 })
  rmSync(place(logs[0] ?? ''))
  assert.deepEqual(await verify('--accept', 'digest-unproved'), [1, 'BROKEN (1 unproved, 1 of them as expected, 0 notes)'])
  const [code, told] = await verify('--accept', 'nonsense')
  assert.equal(code, 2)
  assert.match(String(told), /nothing is told as unproved by that code; say chain-begins, .*truncated/)
})

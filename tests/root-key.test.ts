// The root key of a real server: changed while it serves, killed in between, taken from a passphrase, and refused when it is wrong.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { S3 } from '@aws-sdk/client-s3'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const folder = temporaryFolder()
after(() => folder.remove())
const data = folder.path
const s3At = (url: string): S3 => new S3({ ...clientConfig(url), forcePathStyle: true })

async function readObject(s3: S3): Promise<string | undefined> {
  return (await s3.getObject({ Bucket: 'box', Key: 'k' })).Body?.transformToString()
}

interface Told {
  readonly sealing: {
    readonly rootKey: { readonly id: string; readonly source: string }
    readonly former: readonly { readonly id: string }[]
  }
}

async function sealingOf(environment: Readonly<Record<string, string>> = {}): Promise<Told['sealing']> {
  const { output, notes } = await runCommand(['status', '--json', '--data', data], environment)
  assert.notEqual(output, '', notes)
  return (JSON.parse(output) as Told).sealing
}

test('the root key changes under a server that serves, and a crash behind it loses nothing', async () => {
  const server = await startTestServer({ data })
  const s3 = s3At(server.url)
  await s3.createBucket({ Bucket: 'box' })
  await s3.putObject({ Bucket: 'box', Key: 'k', Body: 'kept' })
  const before = readFileSync(join(data, 'root.key'))
  const first = (await sealingOf()).rootKey.id
  const { code, output, notes } = await runCommand(['keys', 'rotate', '--root', '--json', '--data', data])
  assert.equal(code, 0, notes)
  const { From, To } = JSON.parse(output) as Record<string, string>
  assert.equal(From, first)
  assert.equal(await readObject(s3), 'kept')
  await server.kill()
  assert.ok(!readFileSync(join(data, 'root.key')).equals(before))

  const again = await startTestServer({ data })
  assert.equal(await readObject(s3At(again.url)), 'kept')
  const { rootKey, former } = await sealingOf()
  assert.deepEqual([rootKey.id, former.map(({ id }) => id)], [To, [From]])
  await again.stop()
  // The old key does not open the directory any more, and says so.
  const present = readFileSync(join(data, 'root.key'))
  writeFileSync(join(data, 'root.key'), before)
  await assert.rejects(startTestServer({ data }), new RegExp(`has id ${From}.*sealed under root key ${To}`))
  const { code: checked, output: report } = await runCommand(['fsck', '--data', data])
  assert.equal(checked, 1)
  assert.match(report, new RegExp(`root\\.key.*${From}.*${To}`))
  writeFileSync(join(data, 'root.key'), present)
  assert.equal((await runCommand(['fsck', '--data', data])).code, 0)
})

test('a passphrase takes the place of the key file, and then opens the directory', async () => {
  const environment = { SEALCAST_ROOT_PASSPHRASE: 'correct horse battery staple' }
  const server = await startTestServer({ data, environment: { ...environment, SEALCAST_ROOT_KEY_PREVIOUS: 'file' } })
  assert.equal(await readObject(s3At(server.url)), 'kept')
  await server.stop()
  const { rootKey } = await sealingOf(environment)
  assert.equal(rootKey.source, 'passphrase')
  const refused = await runCommand(['status', '--data', data])
  assert.equal(refused.code, 1)
  assert.match(refused.notes, /sealed under root key .*SEALCAST_ROOT_PASSPHRASE/)
  const rotated = await runCommand(['keys', 'rotate', '--root', '--data', data], environment)
  assert.match(rotated.notes, /SEALCAST_ROOT_PASSPHRASE_PREVIOUS/)
})

// Where the root key comes from: each source, and what is refused by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRootSources } from './root-sources.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')
const PASSPHRASE = 'correct horse battery staple'

test('the environment, a passphrase or a file, and what came before', () => {
  assert.deepEqual(readRootSources({}), { current: { kind: 'file' } })
  assert.deepEqual(readRootSources({}, '/keys/root').current, { kind: 'file', file: '/keys/root' })
  assert.deepEqual(readRootSources({ SEALCAST_ROOT_KEY: KEY, SEALCAST_ROOT_KEY_PREVIOUS: 'file' }), {
    current: { kind: 'environment', key: Buffer.alloc(32, 1) },
    previous: { kind: 'file' },
  })
  const passphrase = { kind: 'passphrase', passphrase: PASSPHRASE }
  assert.deepEqual(readRootSources({ SEALCAST_ROOT_PASSPHRASE_PREVIOUS: PASSPHRASE }).previous, passphrase)
  assert.deepEqual(readRootSources({ SEALCAST_ROOT_PASSPHRASE: PASSPHRASE, SEALCAST_ROOT_KEY: '' }).current, passphrase)
})

test('what cannot be a key is refused by the name of its variable', () => {
  for (const [environment, message] of [
    [{ SEALCAST_ROOT_KEY: 'short' }, /SEALCAST_ROOT_KEY must be the base64 of 32 bytes/],
    [{ SEALCAST_ROOT_KEY: Buffer.alloc(33).toString('base64') }, /32 bytes/],
    [{ SEALCAST_ROOT_PASSPHRASE: 'eleven char' }, /at least 12 characters/],
    [{ SEALCAST_ROOT_PASSPHRASE: PASSPHRASE, SEALCAST_ROOT_KEY: KEY }, /SEALCAST_ROOT_KEY and SEALCAST_ROOT_PASSPHRASE exclude each other/],
    [{ SEALCAST_ROOT_PASSPHRASE_FILE: '/nowhere/at/all' }, /SEALCAST_ROOT_PASSPHRASE_FILE: ENOENT/],
  ] as const)
    assert.throws(() => readRootSources(environment), { name: 'CommandError', message })
  assert.throws(() => readRootSources({ SEALCAST_ROOT_KEY: KEY }, '/keys/root'), { message: /keys.rootFile.*exclude/ })
})

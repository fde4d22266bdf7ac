import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../tests/server.ts'
import { silentLog } from '../base/log.ts'
import type { Config } from '../house/options.ts'
import { settings } from '../settings.ts'
import type { Environment } from './given.ts'
import { readProviders } from './providers.ts'

const DEFAULTS = Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, setting.default])) as Config
const URL_GIVEN = 'https://lambda.{region}.example.com'
const KEY = { SEALCAST_LAMBDA_ACCESS_KEY_ID: 'AKIAEXAMPLE', SEALCAST_LAMBDA_SECRET_ACCESS_KEY: 'a-secret' }

const read = (given: Record<string, unknown>, environment: Environment = {}) =>
  readProviders({ ...DEFAULTS, ...given } as Config, environment, silentLog)

function problems(given: Record<string, unknown>, environment: Environment = {}): string {
  try {
    read(given, environment)
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail('taken')
}

function fileWith(t: TestContext, text: string): string {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  writeFileSync(join(folder.path, 'credentials'), text)
  return join(folder.path, 'credentials')
}

test('nothing given, nothing delivers; a key comes from the environment or from a file, which may change', (t) => {
  const none = read({})
  assert.deepEqual([none.lambda, none.firehose, none.queues], [{ kind: 'none' }, { kind: 'none' }, { kind: 'none' }])
  const { lambda } = read({ 'lambda.provider': 'endpoint', 'lambda.endpoint': URL_GIVEN }, KEY)
  assert.ok(lambda.kind === 'endpoint')
  assert.deepEqual([lambda.endpoint.url, lambda.endpoint.key()], [URL_GIVEN, { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a-secret' }])

  const text = (secret: string) => `[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = ${secret}\n`
  const file = fileWith(t, text('first-secret'))
  const { queues } = read({ 'sqs.remoteEndpoint': 'http://127.0.0.1:4566', 'sqs.remoteCredentialsFile': file })
  assert.ok(queues.kind === 'endpoint')
  const secret = (): string => queues.endpoint.key().secretAccessKey
  assert.equal(secret(), 'first-secret')
  writeFileSync(file, text('the-second-secret'))
  assert.equal(secret(), 'the-second-secret')
  writeFileSync(file, 'half a fi')
  assert.equal(secret(), 'the-second-secret')
})

test('captured events may be run by one thing, with an environment that tells it nothing of ours', () => {
  const { lambda } = read(
    { 'lambda.provider': 'capture', 'lambda.command': ['node', 'run.js'] },
    { ...KEY, PATH: '/bin', SEALCAST_ROOT_KEY: 'x' },
  )
  assert.deepEqual(lambda, {
    kind: 'capture',
    runs: { kind: 'command', command: { argv: ['node', 'run.js'], environment: { PATH: '/bin' } } },
  })
  const url = 'http://127.0.0.1:9000/{function}'
  assert.deepEqual(read({ 'lambda.provider': 'capture', 'lambda.url': url }).lambda, { kind: 'capture', runs: { kind: 'url', url } })
})

test('what is missing, doubled or in vain is refused, all of it at once, by name and without the secret', (t) => {
  const all = problems(
    {
      ...{ 'lambda.provider': 'endpoint', 'lambda.command': ['x'], 'lambda.url': 'http://x/' },
      ...{ 'firehose.endpoint': URL_GIVEN, 'firehose.credentialsFile': 'f', 'sqs.remoteCredentialsFile': 'f' },
    },
    {},
  )
  assert.deepEqual(all.split('\n'), [
    'the configuration has 6 problem(s):',
    'lambda.command and lambda.url: captured events are run by one of them; leave the other out',
    'lambda.command and lambda.url are for lambda.provider capture; set that, or leave them out',
    'lambda.provider is endpoint: lambda.endpoint is missing',
    'lambda.provider is endpoint: give its key by lambda.credentialsFile, ' +
      'or by SEALCAST_LAMBDA_ACCESS_KEY_ID and SEALCAST_LAMBDA_SECRET_ACCESS_KEY',
    'firehose.endpoint and firehose.credentialsFile: for firehose.provider endpoint alone; set that, or leave out what is for it',
    'sqs.remoteCredentialsFile is for sqs.remoteEndpoint, which is missing',
  ])
  const endpoint = { 'lambda.provider': 'endpoint', 'lambda.endpoint': URL_GIVEN }
  assert.match(problems({ ...endpoint, 'lambda.credentialsFile': 'f' }, KEY), /give the key in one place/)
  assert.match(
    problems({ ...endpoint, 'lambda.credentialsFile': '/no/such/file' }),
    /lambda\.credentialsFile: it cannot be read \(ENOENT\)/,
  )
  const file = fileWith(t, 'aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = has a blank in it\n')
  const malformed = problems({ ...endpoint, 'lambda.credentialsFile': file })
  assert.match(malformed, /lambda\.credentialsFile: aws_secret_access_key must be/)
  assert.ok(!malformed.includes('blank'))
  assert.match(problems(endpoint, { SEALCAST_LAMBDA_ACCESS_KEY_ID: 'AKIAEXAMPLE' }), /SEALCAST_LAMBDA_SECRET_ACCESS_KEY: it must have/)
})

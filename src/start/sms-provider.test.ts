import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../base/log.ts'
import type { SmsProvider } from '../engine/providers.ts'
import { readConfig } from './given.ts'
import { readProviders } from './providers.ts'

function read(environment: Record<string, string>, ...settings: string[]): SmsProvider {
  const set = settings.map((setting) => {
    const at = setting.indexOf('=')
    return { key: setting.slice(0, at), value: setting.slice(at + 1), from: '--set' }
  })
  const options = { dev: false, configFile: undefined, set, version: 'test', environment, writeLog: () => {} }
  return readProviders(readConfig(options), environment, silentLog).sms
}

test('who sends texts, with credentials from the environment', () => {
  const common = { from: [{ name: '+15550000', country: 'US' }, { name: 'Shop' }], priceUsd: 0.0075, isSandbox: true }
  const settings = ['sms.from=+15550000/US,Shop', 'sms.priceUsd=0.0075', 'sms.sandbox=true']
  assert.deepEqual(read({}), { kind: 'none' })
  assert.deepEqual(read({}, 'sms.provider=capture', ...settings), { kind: 'capture', ...common })
  assert.deepEqual(read({ SEALCAST_SMS_CREDENTIALS: 'AC1:to:ken' }, 'sms.provider=twilio', ...settings), {
    ...{ kind: 'twilio', ...common, url: 'https://api.twilio.com', account: 'AC1', token: 'to:ken' },
  })
  const smpp = { kind: 'smpp', ...common, credentials: { user: 'shop', password: 'secret' } }
  const centre = (url: string) => read({ SEALCAST_SMS_CREDENTIALS: 'shop:secret' }, 'sms.provider=smpp', `sms.smppUrl=${url}`, ...settings)
  assert.deepEqual(centre('smpp://[::1]'), { ...smpp, host: '::1', port: 2775, isTls: false })
  assert.deepEqual(centre('smpps://a.example'), { ...smpp, host: 'a.example', port: 3550, isTls: true })
  assert.deepEqual(centre('smpp://a.example:99'), { ...smpp, host: 'a.example', port: 99, isTls: false })
})

test('settings that are not whole, or are none, are named all at once', () => {
  assert.throws(() => read({}, 'sms.provider=twilio'), {
    message:
      'the configuration has 2 problem(s):\nsms.provider twilio needs credentials, ACCOUNT-SID:AUTH-TOKEN on one line: ' +
      'in sms.credentialsFile or SEALCAST_SMS_CREDENTIALS\nsms.provider twilio needs sms.from: the number or name that texts come from',
  })
  const long = { SEALCAST_SMS_CREDENTIALS: `${'u'.repeat(16)}:${'p'.repeat(9)}` }
  assert.throws(
    () => read(long, 'sms.provider=smpp', 'sms.from=Shop'),
    /3 problem\(s\):\nsms\.provider smpp needs sms\.smppUrl, .*\n.* at most 15 characters\n.* at most 8 characters$/,
  )
  const most = { SEALCAST_SMS_CREDENTIALS: `${'u'.repeat(15)}:${'p'.repeat(8)}` }
  assert.equal(read(most, 'sms.provider=smpp', 'sms.from=Shop', 'sms.smppUrl=smpp://a').kind, 'smpp')
  for (const setting of [
    ...['sms.smppUrl=http://a', 'sms.smppUrl=smpp://user:secret@a', 'sms.from=+1 555', 'sms.from=abcdefghijkl', 'sms.priceUsd=cheap'],
    ...['sms.twilioUrl=https://a:b@c', 'sms.twilioUrl=https://a/path', 'push.apnsUrl=http://a', 'push.fcmUrl=ftp://a', 'sms.provider=x'],
  ])
    assert.throws(() => read({}, setting), new RegExp(setting.split('=')[0]?.replace('.', '\\.') ?? ''), setting)
})

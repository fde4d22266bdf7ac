import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAwsKeyFile } from './aws-key-file.ts'

const KEY = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a/secret+of=many' }
const LINES = `aws_access_key_id = ${KEY.accessKeyId}\naws_secret_access_key=${KEY.secretAccessKey}\n`

test('the profile default, or the only one, or lines without any', () => {
  assert.deepEqual(readAwsKeyFile(`[default]\n${LINES}`), KEY)
  assert.deepEqual(readAwsKeyFile(LINES), KEY)
  assert.deepEqual(readAwsKeyFile(`# ours\r\n\r\n  [ other ] ; the only one\r\n${LINES.replaceAll('\n', '\r\n')}region = eu-west-1`), KEY)
  const more = `[first]\naws_access_key_id = AKIAFIRST\naws_secret_access_key = other-secret\n[default]\n${LINES}`
  assert.deepEqual(readAwsKeyFile(`${more}aws_session_token = abc==\n`), { ...KEY, sessionToken: 'abc==' })
})

test('what is missing or malformed is named, without a word of the file', () => {
  const problem = (text: string): string => {
    const read = readAwsKeyFile(text)
    return 'problem' in read ? read.problem : assert.fail('taken')
  }
  assert.match(problem(''), /0 profiles/)
  assert.match(problem(`[a]\n${LINES}[b]\n${LINES}`), /2 profiles, and none of them is \[default\]/)
  assert.match(problem('secret-alone'), /lines `name = value`/)
  assert.match(problem(`[default]\n${LINES.split('\n')[0]}`), /aws_access_key_id and aws_secret_access_key/)
  assert.match(problem(LINES.replace('AKIAEXAMPLE', 'AKIA EXAMPLE')), /aws_access_key_id must have/)
  assert.match(problem(LINES.replace('a/secret', 'a secret')), /aws_secret_access_key must be/)
  assert.match(problem(`${LINES}aws_session_token = ü${'x'.repeat(9)}`), /aws_session_token must be/)
})

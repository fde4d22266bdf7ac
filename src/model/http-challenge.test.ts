import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { answerChallenge } from './http-challenge.ts'

const request = { method: 'GET', uri: '/dir/index.html', username: 'Mufasa', password: 'Circle of Life' }
const parameter = (name: string, header = ''): string | undefined => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1]

test('Digest: the answer is what RFC 7616 computes from the challenge, with both algorithms', () => {
  for (const [algorithm, hash] of [
    ['MD5', 'md5'],
    ['SHA-256', 'sha256'],
  ] as const) {
    const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
    const answer = answerChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="FQhe/qaU925kf"`,
      request,
    )
    const h = (text: string): string => createHash(hash).update(text).digest('hex')
    const cnonce = parameter('cnonce', answer)
    assert.equal(
      parameter('response', answer),
      h(`${h('Mufasa:http-auth@example.org:Circle of Life')}:${nonce}:00000001:${cnonce}:auth:${h('GET:/dir/index.html')}`),
    )
    assert.deepEqual(
      ['username', 'realm', 'nonce', 'uri', 'algorithm', 'qop', 'nc', 'opaque'].map((name) => parameter(name, answer)),
      ['Mufasa', 'http-auth@example.org', nonce, request.uri, algorithm, 'auth', '00000001', 'FQhe/qaU925kf'],
    )
  }
})

test('Digest without protection, as the oldest servers ask: the example of RFC 2069 as it was corrected', () => {
  const answer = answerChallenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    { ...request, password: 'CircleOfLife' },
  )
  assert.equal(parameter('response', answer), '1949323746fe6a43ef61f9606e7febea')
  assert.equal(parameter('cnonce', answer), undefined)
})

test('Basic where it is asked for, or where the digest is of a kind nobody here knows; else nothing', () => {
  const basic = `Basic ${Buffer.from('Mufasa:Circle of Life').toString('base64')}`
  assert.equal(answerChallenge('basic realm="x"', request), basic)
  assert.equal(answerChallenge('Digest realm="r", nonce="n", algorithm=SHA-512-256, Basic realm="x"', request), basic)
  assert.equal(answerChallenge('Digest realm="r", nonce="n", qop="auth-int", Basic realm="x"', request), basic)
  for (const challenge of [
    '',
    'Bearer realm="basic"',
    'Bearer realm="a, basic b"',
    'Digest',
    'Digest nonce="n"',
    'Digest realm="Basic ',
    'Digest realm="r", nonce="n", qop=""',
  ])
    assert.equal(answerChallenge(challenge, request), undefined, challenge)
})

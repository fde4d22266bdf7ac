import assert from 'node:assert/strict'
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsKey } from '../model/aws-key-file.ts'
import { signRequest } from './request-signature.ts'

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const key: AwsKey = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/with+signs=' }

/** The SDK's own hash, by Node's. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string)
  }
  update(part: string | Uint8Array): void {
    this.#hash.update(part)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {}
}

interface Given {
  readonly service: string
  readonly path: string
  readonly query?: Record<string, string>
  readonly headers: Record<string, string>
  readonly body: string
}

/** What the SDK signs the same request with. */
async function bySdk(given: Given, as: AwsKey): Promise<string | undefined> {
  const isS3 = given.service === 's3'
  const signer = new SignatureV4({
    service: given.service,
    region: 'eu-west-1',
    credentials: as,
    sha256: Sha256 as never,
    uriEscapePath: !isS3,
    applyChecksum: isS3,
  })
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: 'service.example.com',
      port: 8443,
      path: given.path,
      query: given.query ?? {},
      headers: { ...given.headers, host: 'service.example.com:8443' },
      body: given.body,
    },
    { signingDate: new Date(now) },
  )
  return headers['authorization']
}

test('requests are signed as the SDK signs them: paths of ARNs, queries, sessions, S3', async () => {
  const cases: readonly Given[] = [
    {
      service: 'sqs',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: '{}',
    },
    {
      service: 'lambda',
      path: '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000001%3Afunction%3Af/invocations',
      query: { Qualifier: '$LATEST' },
      headers: { 'x-amz-invocation-type': 'Event' },
      body: '{"Records":[{"Sns":{"Message":"ü"}}]}',
    },
    { service: 's3', path: '/bucket/a%20key%3Awith/signs', headers: {}, body: 'body' },
  ]
  for (const as of [key, { ...key, sessionToken: 'session/token==' }])
    for (const one of cases) {
      const { query = {} } = one
      const search = new URLSearchParams(query).toString()
      const headers = signRequest(
        {
          method: 'POST',
          url: `https://service.example.com:8443${one.path}${search === '' ? '' : `?${search}`}`,
          headers: one.headers,
          bodySha256: createHash('sha256').update(one.body).digest('hex'),
        },
        as,
        { service: one.service, region: 'eu-west-1' },
        now,
      )
      assert.equal(headers['authorization'], await bySdk(one, as), one.service)
      assert.equal(headers['x-amz-security-token'], as.sessionToken)
      assert.equal(headers['x-amz-content-sha256'] !== undefined, one.service === 's3')
    }
})

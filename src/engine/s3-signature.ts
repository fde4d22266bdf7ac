// Signs a request to another S3 with Signature Version 4 (Amazon S3 API Reference, "Authenticating Requests: Using the Authorization
// Header"): the client's side of what the front door checks.
import { hash } from 'node:crypto'
import { sign, signingKey } from '../model/signing-key.ts'

export interface S3Request {
  readonly method: string
  /** Absolute, its path percent-encoded (percent-encoding.ts), without a query. */
  readonly url: string
  /** Names in lower case; all are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hexadecimal. */
  readonly bodySha256: string
}

export interface S3Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** All headers to send but Content-Length and Host, which the connection adds. `now`: ms since 1970. */
export function signS3Request({ method, url, headers, bodySha256 }: S3Request, key: S3Key, now: number): Readonly<Record<string, string>> {
  const { host, pathname } = new URL(url)
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const scope = { date: time.slice(0, 8), region: key.region, service: 's3' }
  const sent: Record<string, string> = { ...headers, 'x-amz-content-sha256': bodySha256, 'x-amz-date': time }
  const signed: Record<string, string> = { ...sent, host }
  const names = Object.keys(signed).toSorted()
  const lines = names.map((name) => `${name}:${(signed[name] ?? '').replace(/ +/g, ' ').trim()}\n`).join('')
  const canonical = `${method}\n${pathname}\n\n${lines}\n${names.join(';')}\n${bodySha256}`
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  const signature = sign(
    signingKey(key.secretAccessKey, scope),
    `AWS4-HMAC-SHA256\n${time}\n${scopeText}\n${hash('sha256', canonical, 'hex')}`,
  )
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scopeText}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

// Signs requests to other AWS services, and to what speaks like them, with Signature Version 4 (IAM User Guide, "Create a signed AWS API
// request"): the client's side of what the front door checks.
import { hash } from 'node:crypto'
import type { AwsKey } from '../model/aws-key-file.ts'
import { encodePath } from '../model/percent-encoding.ts'
import { sign, signingKey } from '../model/signing-key.ts'

export interface UnsignedRequest {
  readonly method: string
  /** Absolute; its path percent-encoded (percent-encoding.ts), its query too and in byte order. */
  readonly url: string
  /** Names in lower case; all are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hexadecimal. */
  readonly bodySha256: string
}

export interface SignatureScope {
  /** As signatures name it: `s3`, `sqs`, `lambda`. */
  readonly service: string
  readonly region: string
}

/** All headers to send but Content-Length and Host, which the connection adds. `now`: ms since 1970. */
export function signRequest(
  { method, url, headers, bodySha256 }: UnsignedRequest,
  key: AwsKey,
  { service, region }: SignatureScope,
  now: number,
): Readonly<Record<string, string>> {
  const { host, pathname, search } = new URL(url)
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const scope = { date: time.slice(0, 8), region, service }
  const isS3 = service === 's3'
  const sent: Record<string, string> = {
    ...headers,
    ...(isS3 && { 'x-amz-content-sha256': bodySha256 }),
    'x-amz-date': time,
    ...(key.sessionToken !== undefined && { 'x-amz-security-token': key.sessionToken }),
  }
  const signed: Record<string, string> = { ...sent, host }
  const names = Object.keys(signed).toSorted()
  const lines = names.map((name) => `${name}:${(signed[name] ?? '').replace(/ +/g, ' ').trim()}\n`).join('')
  // Quirk: all services but S3 sign the path encoded twice.
  const path = isS3 ? pathname : encodePath(pathname)
  const canonical = `${method}\n${path}\n${search.slice(1)}\n${lines}\n${names.join(';')}\n${bodySha256}`
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

// Signed requests as bytes on the wire, made before the clock runs.
import { createHash, createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'

export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly host: string
}

/** Writes `count` requests to `file`, each with its own body. */
export function writeRequests(file: string, count: number, signer: Signer, body: (at: number) => string): void {
  const parts: Buffer[] = []
  for (let at = 0; at < count; at++) {
    const request = signRequest(signer, body(at))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(request.length)
    parts.push(length, request)
  }
  writeFileSync(file, Buffer.concat(parts))
}

export function publishBody(topicArn: string, text: string): string {
  return `Action=Publish&Version=2010-03-31&TopicArn=${encodeURIComponent(topicArn)}&Message=${encodeURIComponent(text)}`
}

export function batchBody(topicArn: string, texts: readonly string[]): string {
  const entries = texts.map(
    (text, at) =>
      `&PublishBatchRequestEntries.member.${at + 1}.Id=m${at}` +
      `&PublishBatchRequestEntries.member.${at + 1}.Message=${encodeURIComponent(text)}`,
  )
  return `Action=PublishBatch&Version=2010-03-31&TopicArn=${encodeURIComponent(topicArn)}${entries.join('')}`
}

function signRequest({ accessKeyId, secretAccessKey, region, host }: Signer, body: string): Buffer {
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const scope = `${date}/${region}/sns/aws4_request`
  const bodyHash = createHash('sha256').update(body).digest('hex')
  const type = 'application/x-www-form-urlencoded'
  const names = 'content-type;host;x-amz-date'
  const canonical = `POST\n/\n\ncontent-type:${type}\nhost:${host}\nx-amz-date:${time}\n\n${names}\n${bodyHash}`
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
  for (const part of [date, region, 'sns', 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nX-Amz-Date: ${time}\r\n` +
      `User-Agent: aws-sdk-js/3.1169.0 os/linux lang/js md/nodejs#26.10.0 api/sns#3.1169.0\r\n` +
      `Authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

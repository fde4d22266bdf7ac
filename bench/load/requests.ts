// Signed requests as bytes on the wire: for most benches made before the clock runs.
import { type KeyObject, createHmac, createSecretKey, hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'

export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly host: string
}

/** What the requests of one operation share. */
export interface RequestKind {
  readonly service: 'sns' | 'sqs'
  /** X-Amz-Target, where the protocol has it. */
  readonly target?: string
}

export const SNS_FORM: RequestKind = { service: 'sns' }

export function sqsKind(operation: string): RequestKind {
  return { service: 'sqs', target: `AmazonSQS.${operation}` }
}

/** Writes `count` requests to `file`, each with its own body. */
export function writeRequests(file: string, count: number, signer: Signer, body: (at: number) => string, kind = SNS_FORM): void {
  const parts: Buffer[] = []
  for (let at = 0; at < count; at++) {
    const request = Buffer.from(signRequest(signer, kind, body(at)))
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

const keys = new Map<string, KeyObject>()

/** As the SDKs write it, without the headers that servers ignore. */
export function signRequest(
  { accessKeyId, secretAccessKey, region, host }: Signer,
  { service, target }: RequestKind,
  body: string,
): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const scope = `${date}/${region}/${service}/aws4_request`
  const type = target === undefined ? 'application/x-www-form-urlencoded' : 'application/x-amz-json-1.0'
  const names = `content-type;host;x-amz-date${target === undefined ? '' : ';x-amz-target'}`
  const canonical =
    `POST\n/\n\ncontent-type:${type}\nhost:${host}\nx-amz-date:${time}\n${target === undefined ? '' : `x-amz-target:${target}\n`}` +
    `\n${names}\n${hash('sha256', body, 'hex')}`
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`
  const name = `${scope} ${secretAccessKey}`
  let key = keys.get(name)
  if (key === undefined) {
    let derived: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
    for (const part of [date, region, service, 'aws4_request']) derived = createHmac('sha256', derived).update(part).digest()
    keys.set(name, (key = createSecretKey(derived)))
  }
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  return (
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nX-Amz-Date: ${time}\r\n` +
    (target === undefined ? '' : `X-Amz-Target: ${target}\r\n`) +
    `User-Agent: aws-sdk-js/3.1169.0 os/linux lang/js md/nodejs#26.10.0 api/${service}#3.1169.0\r\n` +
    `Authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

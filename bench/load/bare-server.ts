// The yardstick: a bare node:http server that reads the same requests whole and answers with as many bytes, and does nothing else.
// `node bare-server.ts [FILE]`: a JSON file of answers by X-Amz-Target; without it, every answer is that to a Publish.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Answer {
  readonly bytes: Buffer
  readonly type: string
}

const publish: Answer = {
  bytes: Buffer.from(
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">' +
      `<PublishResult><MessageId>${'0'.repeat(36)}</MessageId></PublishResult>` +
      `<ResponseMetadata><RequestId>${'0'.repeat(36)}</RequestId></ResponseMetadata></PublishResponse>`,
  ),
  type: 'text/xml',
}
const file = process.argv[2]
const byTarget = new Map<string | undefined, Answer>(
  file === undefined
    ? []
    : Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>).map(([target, text]) => [
        target,
        { bytes: Buffer.from(text), type: 'application/x-amz-json-1.0' },
      ]),
)

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    Buffer.concat(chunks)
    const { bytes, type } = byTarget.get(request.headers['x-amz-target'] as string | undefined) ?? publish
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length })
    response.end(bytes)
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`))
process.on('SIGTERM', () => process.exit(0))

// The yardstick: a bare node:http server that reads the same requests whole and answers with as many bytes, and does nothing else.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const answer = Buffer.from(
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">' +
    `<PublishResult><MessageId>${'0'.repeat(36)}</MessageId></PublishResult>` +
    `<ResponseMetadata><RequestId>${'0'.repeat(36)}</RequestId></ResponseMetadata></PublishResponse>`,
)

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    Buffer.concat(chunks)
    response.writeHead(200, { 'content-type': 'text/xml', 'content-length': answer.length })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`))
process.on('SIGTERM', () => process.exit(0))

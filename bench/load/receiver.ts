// Many HTTP endpoints in one process, for benches of deliveries: /N confirms by itself and answers 200; after GET /hang/N endpoint N
// answers nothing any more, after GET /answer/N it does again. GET /report tells how long messages took (their text begins with the time
// of sending, in ms since 1970) of all but the endpoint that was named last, and begins anew.
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Envelope {
  readonly Type: string
  readonly Message: string
  readonly SubscribeURL?: string
}

let confirmed = 0
let bad = ''
let isHanging = false
let tookMs: number[] = []

const server = createServer((request, response) => {
  const path = request.url ?? ''
  if (request.method === 'GET') {
    const [, verb = '', name = ''] = path.split('/')
    if (verb === 'report') {
      response.end(JSON.stringify({ confirmed, count: tookMs.length, p50: share(0.5), p99: share(0.99) }))
      tookMs = []
      return
    }
    bad = `/${name}`
    isHanging = verb === 'hang'
    return void response.end()
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const now = performance.timeOrigin + performance.now()
    const text = Buffer.concat(chunks).toString('utf8')
    const isRaw = request.headers['x-amz-sns-rawdelivery'] === 'true'
    const envelope = isRaw ? { Type: 'Notification', Message: text } : (JSON.parse(text) as Envelope)
    if (envelope.Type !== 'Notification') {
      response.end()
      get(envelope.SubscribeURL ?? '', (answer) => answer.resume().on('end', () => confirmed++))
    } else if (path !== bad) {
      tookMs.push(now - Number.parseFloat(envelope.Message))
      response.end()
    } else if (!isHanging) response.end()
  })
})

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})

function share(part: number): number {
  const sorted = Float64Array.from(tookMs).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

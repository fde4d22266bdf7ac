// Many HTTP endpoints in one process, for benches of deliveries: /N confirms by itself and answers 200; after GET /hang/N endpoint N
// answers nothing any more, after GET /answer/N it does again. GET /report tells how long messages took (their text begins with the time
// of sending, in ms since 1970) of all but the endpoint that was named last, and begins anew.
// It reads just enough HTTP for what comes, since it has the machine in common with what is measured.
import { get } from 'node:http'
import { type AddressInfo, type Socket, createServer } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')
const MESSAGE = Buffer.from('"Message" : "')
/** Enough for a time of sending. */
const STAMP_BYTES = 20

let confirmed = 0
let bad = ''
let isHanging = false
let tookMs: number[] = []

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer | undefined
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let bytes: Buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const end = bytes.indexOf(HEAD_END)
      if (end === -1) break
      const head = bytes.toString('latin1', 0, end)
      const bodyEnd = end + HEAD_END.length + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (bytes.length < bodyEnd) break
      take(socket, head, bytes.subarray(end + HEAD_END.length, bodyEnd))
      bytes = bytes.subarray(bodyEnd)
    }
    rest = bytes.length === 0 ? undefined : bytes
  })
})

function take(socket: Socket, head: string, body: Buffer): void {
  const [method, path = ''] = head.slice(0, head.indexOf('\r')).split(' ')
  if (method === 'GET') return told(socket, path)
  if (/\r\nx-amz-sns-message-type: SubscriptionConfirmation\r/i.test(`${head}\r`)) {
    const { SubscribeURL } = JSON.parse(body.toString('utf8')) as { readonly SubscribeURL: string }
    answer(socket, '')
    get(SubscribeURL, (confirmation) => confirmation.resume().on('end', () => confirmed++))
  } else if (path !== bad) {
    const now = performance.timeOrigin + performance.now()
    const at = /\r\nx-amz-sns-rawdelivery: true/i.test(head) ? 0 : body.indexOf(MESSAGE) + MESSAGE.length
    tookMs.push(now - Number.parseFloat(body.toString('latin1', at, at + STAMP_BYTES)))
    answer(socket, '')
  } else if (!isHanging) answer(socket, '')
}

function told(socket: Socket, path: string): void {
  const [, verb = '', name = ''] = path.split('/')
  if (verb === 'report') {
    answer(socket, JSON.stringify({ confirmed, count: tookMs.length, p50: share(0.5), p99: share(0.99) }))
    tookMs = []
    return
  }
  bad = `/${name}`
  isHanging = verb === 'hang'
  answer(socket, '')
}

function answer(socket: Socket, text: string): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`, 'latin1')
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})

function share(part: number): number {
  const sorted = Float64Array.from(tookMs).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

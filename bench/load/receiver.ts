// Many HTTP endpoints in one process, for benches of deliveries: /N confirms by itself and answers 200; after GET /hang/N endpoint N
// answers nothing any more, after GET /answer/N it does again. GET /report tells which messages came (their text begins with a number)
// and when, in ms since 1970, to all but the endpoint that was named last, and begins anew.
// It reads just enough HTTP for what comes, since it has the machine in common with what is measured.
import { get } from 'node:http'
import { type AddressInfo, type Socket, createServer } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')
const MESSAGE = Buffer.from('"Message" : "')
/** Enough for a number. */
const NUMBER_BYTES = 12

let confirmed = 0
let bad = ''
let isHanging = false
let numbers: number[] = []
let times: number[] = []

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
    const at = /\r\nx-amz-sns-rawdelivery: true/i.test(head) ? 0 : body.indexOf(MESSAGE) + MESSAGE.length
    const number = Number.parseInt(body.toString('latin1', at, at + NUMBER_BYTES), 10)
    if (!Number.isNaN(number)) {
      numbers.push(number)
      times.push(performance.timeOrigin + performance.now())
    }
    answer(socket, '')
  } else if (!isHanging) answer(socket, '')
}

function told(socket: Socket, path: string): void {
  const [, verb = '', name = ''] = path.split('/')
  if (verb === 'report') {
    answer(socket, JSON.stringify({ confirmed, numbers, times }))
    numbers = []
    times = []
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

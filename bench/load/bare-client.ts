// The yardstick of deliveries: posts as many bytes as one has over connections that are kept, looks for a status in what comes back, and
// does nothing else. `node bare-client.ts PORT`: for each line with a count it says in JSON what a request cost of CPU, in microseconds.
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const CONNECTIONS = 64
const port = Number(process.argv[2])
const body = JSON.stringify({ Type: 'Notification', Message: '0', padding: 'x'.repeat(1200) })
const request = `POST /bare HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** Resolves to what posts once. */
function open(): Promise<() => Promise<void>> {
  return new Promise((resolve) => {
    let answered = (): void => {}
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      if (Buffer.from(buffer.buffer, 0, bytes).toString('latin1', 0, 12) === 'HTTP/1.1 200') answered()
      return true
    }
    const onread = { buffer: Buffer.alloc(4096), callback }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, () =>
      resolve(
        () =>
          new Promise((done) => {
            answered = done
            socket.write(request, 'latin1')
          }),
      ),
    )
  })
}

async function run(count: number): Promise<void> {
  const posts = await Promise.all(Array.from({ length: CONNECTIONS }, open))
  const before = process.cpuUsage()
  let left = count
  const keepOn = async (post: () => Promise<void>): Promise<void> => {
    while (left-- > 0) await post()
  }
  await Promise.all(posts.map(keepOn))
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(`${JSON.stringify({ cpuUs: (user + system) / count })}\n`)
}

process.stdout.write(`${JSON.stringify({ port })}\n`)
createInterface({ input: process.stdin }).on('line', (line) => void run(Number(line)))

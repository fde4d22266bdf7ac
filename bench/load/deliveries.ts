// What the benches of deliveries share: our server with topics that HTTP endpoints in another process are subscribed to, and a publisher
// that keeps a pace.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SNS } from '@aws-sdk/client-sns'
import { Connection } from './connection.ts'
import { BENCH_KEY, ended, startOurs } from './pairs.ts'
import { pause, startScript } from './processes.ts'
import { batchBody, publishBody, signRequest, SNS_FORM } from './requests.ts'

export interface Report {
  readonly confirmed: number
  readonly count: number
  /** From the moment at which a message was to be published to its receiver, in ms. */
  readonly p50: number
  readonly p99: number
}

type Arrivals = Readonly<Record<'numbers' | 'times', readonly number[]>> & { readonly confirmed: number }

export interface DeliveryBench {
  readonly pid: number
  /** A topic with so many confirmed endpoints of the receiver, numbered on from those before. */
  topic(name: string, endpoints: number, more?: { attributes?: Record<string, string>; isRaw?: boolean }): Promise<string>
  /** As receiver.ts takes it. */
  ask(path: string): Promise<string>
  report(): Promise<Report>
  /** Microseconds of CPU of a request to the receiver, as a client that does nothing else spends them. */
  bareRequestUs(requests: number): Promise<number>
  /**
   * Sends `count` messages of 256 bytes, signed before the first of them goes, at a pace per second (Infinity: one after the other).
   * Resolves when all are answered.
   */
  publish(topicArn: string, count: number, perSecond: number): Promise<void>
  /** As many in batches of ten, eight at a time. */
  flood(topicArn: string, count: number): Promise<void>
  end(): Promise<void>
}

const MESSAGE_BYTES = 256
/** Of a publisher that keeps a pace. */
const CONNECTIONS = 32

export async function startDeliveryBench(): Promise<DeliveryBench> {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-deliveries-'))
  const server = await startOurs(join(folder, 'data'), ['--set', 'outbound.allow=127.0.0.0/8'])
  const receiver = await startScript(join(import.meta.dirname, 'receiver.ts'), [])
  const bareClient = await startScript(join(import.meta.dirname, 'bare-client.ts'), [String(receiver.first['port'])])
  const base = `http://127.0.0.1:${String(receiver.first['port'])}`
  const sns = new SNS({ endpoint: server.url, region: BENCH_KEY.region, credentials: BENCH_KEY })
  const signer = { ...BENCH_KEY, host: server.host }
  const ask = async (path: string): Promise<string> => (await fetch(`${base}/${path}`)).text()
  /** When each message was sent, in ms since 1970, by its number. */
  const sentAt: number[] = []
  const numbered = (): string => `${sentAt.push(0) - 1} `.padEnd(MESSAGE_BYTES, 'x')
  const report = async (): Promise<Report> => {
    const { confirmed, numbers, times } = JSON.parse(await ask('report')) as Arrivals
    const took = Float64Array.from(times, (time, at) => time - (sentAt[numbers[at] ?? 0] ?? 0)).sort()
    const share = (part: number): number => took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0
    return { confirmed, count: took.length, p50: share(0.5), p99: share(0.99) }
  }
  const open = (count: number): Promise<Connection[]> => Promise.all(Array.from({ length: count }, () => Connection.open(server.port)))
  let endpoints = 0
  return {
    pid: server.pid,
    ask,
    report,
    async topic(name, count, { attributes = {}, isRaw = false } = {}) {
      const { TopicArn = '' } = await sns.createTopic({ Name: name, Attributes: attributes })
      const Attributes = { RawMessageDelivery: String(isRaw) }
      for (let at = 0; at < count; at++) await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: `${base}/${endpoints++}`, Attributes })
      while ((await report()).confirmed < endpoints) await pause(50)
      return TopicArn
    },
    async bareRequestUs(requests) {
      const told = new Promise<string>((resolve) => bareClient.child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString())))
      bareClient.child.stdin?.write(`${requests}\n`)
      return (JSON.parse(await told) as { readonly cpuUs: number }).cpuUs
    },
    async publish(topicArn, count, perSecond) {
      const free = await open(perSecond === Infinity ? 1 : CONNECTIONS)
      const connections = [...free]
      const first = sentAt.length
      const requests = Array.from({ length: count }, () => signRequest(signer, SNS_FORM, publishBody(topicArn, numbered())))
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const begun = performance.now()
      let due = 0
      let sent = 0
      let answered = 0
      const send = (): void => {
        const now = performance.now()
        for (; due < count && (perSecond === Infinity ? due === answered : begun + (due / perSecond) * 1000 <= now); due++)
          sentAt[first + due] = performance.timeOrigin + now
        while (sent < due) {
          const connection = free.pop()
          if (connection === undefined) break
          connection.send(requests[sent++] ?? '', (_body, isGood) => {
            if (!isGood) return reject(new Error('a publish failed'))
            free.push(connection)
            if (++answered === count) return resolve(undefined)
            if (perSecond === Infinity || sent < due) send()
          })
        }
      }
      const timer = perSecond === Infinity ? undefined : setInterval(send, 1)
      send()
      await promise.finally(() => clearInterval(timer))
      for (const connection of connections) connection.end()
    },
    async flood(topicArn, count) {
      const connections = await open(8)
      let sent = 0
      const one = async (connection: Connection): Promise<void> => {
        while (sent < count) {
          sent += 10
          const body = batchBody(topicArn, Array.from({ length: 10 }, numbered))
          const isGood = await new Promise<boolean>((resolve) =>
            connection.send(signRequest(signer, SNS_FORM, body), (_body, ok) => resolve(ok)),
          )
          if (!isGood) throw new Error('a publish failed')
        }
        connection.end()
      }
      await Promise.all(connections.map(one))
    },
    async end() {
      receiver.child.kill()
      bareClient.child.kill()
      await ended(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

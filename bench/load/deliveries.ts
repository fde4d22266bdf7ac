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
  readonly p50: number
  readonly p99: number
}

export interface DeliveryBench {
  readonly pid: number
  /** A topic with so many confirmed endpoints of the receiver, numbered on from those before. */
  topic(name: string, endpoints: number, more?: { attributes?: Record<string, string>; isRaw?: boolean }): Promise<string>
  /** As receiver.ts takes it. */
  ask(path: string): Promise<string>
  report(): Promise<Report>
  /** Microseconds of CPU of a request to the receiver, as a client that does nothing else spends them. */
  bareRequestUs(requests: number): Promise<number>
  /** Sends `count` messages of 256 bytes at a pace per second (Infinity: one after the other). Resolves when all are answered. */
  publish(topicArn: string, count: number, perSecond: number): Promise<void>
  /** As many in batches of ten, eight at a time. */
  flood(topicArn: string, count: number): Promise<void>
  end(): Promise<void>
}

export async function startDeliveryBench(): Promise<DeliveryBench> {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-deliveries-'))
  const server = await startOurs(join(folder, 'data'), ['--set', 'outbound.allow=127.0.0.0/8'])
  const receiver = await startScript(join(import.meta.dirname, 'receiver.ts'), [])
  const bareClient = await startScript(join(import.meta.dirname, 'bare-client.ts'), [String(receiver.first['port'])])
  const base = `http://127.0.0.1:${String(receiver.first['port'])}`
  const sns = new SNS({ endpoint: server.url, region: BENCH_KEY.region, credentials: BENCH_KEY })
  const signer = { ...BENCH_KEY, host: server.host }
  const ask = async (path: string): Promise<string> => (await fetch(`${base}/${path}`)).text()
  const report = async (): Promise<Report> => JSON.parse(await ask('report')) as Report
  const send = async (connections: readonly Connection[], bodies: () => string | undefined): Promise<void> => {
    const one = async (connection: Connection): Promise<void> => {
      for (let body = bodies(); body !== undefined; body = bodies()) {
        const request = signRequest(signer, SNS_FORM, body)
        const isGood = await new Promise<boolean>((resolve) => connection.send(request, (_body, ok) => resolve(ok)))
        if (!isGood) throw new Error('a publish failed')
      }
    }
    await Promise.all(connections.map(one))
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
      const connections = await open(perSecond === Infinity ? 1 : 16)
      const begun = performance.now()
      const waits = connections.map(async (connection, first) => {
        for (let at = first; at < count; at += connections.length) {
          const late = begun + (at / perSecond) * 1000 - performance.now()
          if (late > 0) await pause(late)
          let isSent = false
          await send([connection], () => {
            if (isSent) return undefined
            isSent = true
            return publishBody(topicArn, stamped(256))
          })
        }
        connection.end()
      })
      await Promise.all(waits)
    },
    async flood(topicArn, count) {
      const connections = await open(8)
      let sent = 0
      await send(connections, () => {
        if (sent >= count) return undefined
        sent += 10
        return batchBody(
          topicArn,
          Array.from({ length: 10 }, () => stamped(256)),
        )
      })
      for (const connection of connections) connection.end()
    },
    async end() {
      receiver.child.kill()
      bareClient.child.kill()
      await ended(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function stamped(bytes: number): string {
  return `${(performance.timeOrigin + performance.now()).toFixed(3)} `.padEnd(bytes, 'x')
}

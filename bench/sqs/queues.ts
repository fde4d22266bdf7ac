// What the cases of the SQS bench share: queues, the jobs on them, single calls, and the bare server with answers as long as ours.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '../load/connection.ts'
import { BENCH_KEY, type BenchServer, type JobParts, type OurServer, startBare } from '../load/pairs.ts'
import { type Signer, signRequest, sqsKind } from '../load/requests.ts'
import type { CycleJob } from '../load/sqs-cycle.ts'

export const TEXT_BYTES = 1024
const TEXT = 'x'.repeat(TEXT_BYTES)
const CALLS_AT_ONCE = 32

export function signerOf({ host }: OurServer): Signer {
  return { ...BENCH_KEY, host }
}

/** The text of a successful answer. */
export function ask(connection: Connection, signer: Signer, operation: string, input: object): Promise<string> {
  return new Promise((resolve, reject) =>
    connection.send(signRequest(signer, sqsKind(operation), JSON.stringify(input)), (body, ok) => {
      if (ok) resolve(body.toString('utf8'))
      else reject(new Error(`${operation}: ${body.toString('utf8')}`))
    }),
  )
}

export async function createQueues(
  server: OurServer,
  prefix: string,
  count: number,
  Attributes: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const suffix = Attributes['FifoQueue'] === 'true' ? '.fifo' : ''
  const urls: string[] = []
  const create = async (): Promise<void> => {
    const connection = await Connection.open(server.port)
    for (let at = urls.length; at < count; at = urls.length) {
      urls.push('')
      const answer = await ask(connection, signerOf(server), 'CreateQueue', { QueueName: `${prefix}-${at}${suffix}`, Attributes })
      urls[at] = (JSON.parse(answer) as { QueueUrl: string }).QueueUrl
    }
    connection.end()
  }
  await Promise.all(Array.from({ length: Math.min(count, CALLS_AT_ONCE) }, create))
  return urls
}

export function cycleJob(cycle: Omit<CycleJob, 'text'>, requests: number): Omit<JobParts, 'inFlight'> {
  return { cycle: { ...cycle, text: TEXT }, warmUp: Math.ceil(requests / 6), requests: Math.ceil(requests) }
}

/** A bare server whose answers to a cycle of so many messages have the bytes of ours: such a cycle is made, and its answers are kept. */
export async function startBareSqs(server: OurServer, folder: string, messages: 1 | 10): Promise<BenchServer> {
  const [QueueUrl] = await createQueues(server, `answers-${messages}`, 1)
  const connection = await Connection.open(server.port)
  const answers: Record<string, string> = {}
  const keep = async (operation: string, input: object): Promise<string> =>
    (answers[sqsKind(operation).target ?? ''] = await ask(connection, signerOf(server), operation, { QueueUrl, ...input }))
  const entries = Array.from({ length: messages }, (_, at) => ({ Id: `m${at}`, MessageBody: TEXT }))
  await keep('SendMessageBatch', { Entries: entries })
  const received = await keep('ReceiveMessage', { MaxNumberOfMessages: messages })
  const { Messages } = JSON.parse(received) as { Messages: { ReceiptHandle: string }[] }
  await keep('DeleteMessageBatch', { Entries: Messages.map(({ ReceiptHandle }, at) => ({ Id: `m${at}`, ReceiptHandle })) })
  await keep('SendMessage', { MessageBody: TEXT })
  await keep('DeleteMessage', { ReceiptHandle: Messages[0]?.ReceiptHandle })
  connection.end()
  const file = join(folder, `answers-${messages}.json`)
  writeFileSync(file, JSON.stringify(answers))
  return startBare(file)
}

// Mixed calls against a server that may be killed, stopped or full at any time: signed by hand over kept connections, so that the client
// costs little. What was answered is remembered by its request id; what was not may or may not have been served.
import { Agent, request as send } from 'node:http'
import type { Random } from '../../src/base/random.ts'
import { signedHeaders, type Unsigned } from '../sign.ts'
import { pause } from '../until.ts'

export const ACCOUNT = '000000000000'
const ARN = `arn:aws:sns:us-east-1:${ACCOUNT}:load`
const OBJECTS = 200
const ANSWER_MS_MAX = 30_000
const AWAY_MS = 100

export interface Load {
  /** Request ids of calls that were answered and are to stand on record. */
  readonly served: Set<string>
  /** Answers 503: refused, and on no record. */
  refused: number
  /** Calls without an answer. */
  unanswered: number
  readonly sent: number
  /** Resolves when all calls are sent and have come to an end. */
  readonly done: Promise<void>
}

export interface LoadOptions {
  readonly port: number
  readonly calls: number
  readonly inFlight: number
  readonly random: Random
}

/** Needs the topic `load` and the bucket `load`. */
export function startLoad({ port, calls, inFlight, random }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight })
  let sent = 0
  const worker = async (): Promise<void> => {
    while (sent < calls) {
      sent++
      const answer = await callOnce(agent, port, pick(random))
      if (answer === 'away') {
        sent--
        await pause(AWAY_MS)
      } else if (answer === undefined) {
        load.unanswered++
        await pause(AWAY_MS)
      } else if (answer.status === 503) {
        load.refused++
        await pause(AWAY_MS)
      } else load.served.add(answer.requestId)
    }
  }
  const done = Promise.all(Array.from({ length: inFlight }, worker)).then(() => agent.destroy())
  const load: Load = {
    served: new Set(),
    refused: 0,
    unanswered: 0,
    get sent() {
      return sent
    },
    done,
  }
  return load
}

/** The topic and the bucket that the load needs. */
export async function prepareLoad(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  await callOnce(agent, port, sns({ Action: 'CreateTopic', Name: 'load' }))
  await callOnce(agent, port, { service: 's3', method: 'PUT', path: '/load' })
  agent.destroy()
}

function pick(random: Random): Unsigned {
  const die = random.below(100)
  const object = `/load/object-${random.below(OBJECTS)}`
  if (die < 60) return sns({ Action: 'Publish', TopicArn: ARN, Message: `message ${random.below(1_000_000)}` })
  if (die < 66) return sns({ Action: 'Publish', TopicArn: `${ARN}-absent`, Message: 'refused' })
  if (die < 70)
    return sns({
      Action: 'PublishBatch',
      TopicArn: ARN,
      'PublishBatchRequestEntries.member.1.Id': 'a',
      'PublishBatchRequestEntries.member.1.Message': 'one',
    })
  if (die < 80) return sns({ Action: 'GetTopicAttributes', TopicArn: ARN })
  if (die < 84) return sns({ Action: 'CreateTopic', Name: `topic-${random.below(1000)}` })
  if (die < 92) return { service: 's3', method: 'PUT', path: object, body: `body ${die}` }
  return { service: 's3', method: 'GET', path: object }
}

function sns(parameters: Readonly<Record<string, string>>): Unsigned {
  return { service: 'sns', body: new URLSearchParams({ ...parameters, Version: '2010-03-31' }).toString() }
}

interface Answer {
  readonly status: number
  readonly requestId: string
}

/** `away`: nobody was there to take it. Undefined: it was sent, and nothing is known of it. */
function callOnce(agent: Agent, port: number, call: Unsigned): Promise<Answer | 'away' | undefined> {
  const { method = 'POST', path = '/', body = '' } = call
  return new Promise((resolve) => {
    const headers = { ...signedHeaders(`127.0.0.1:${port}`, call), 'content-length': Buffer.byteLength(body) }
    const outgoing = send({ agent, host: '127.0.0.1', port, method, path, headers, timeout: ANSWER_MS_MAX }, (response) => {
      const requestId = response.headers['x-amzn-requestid'] ?? response.headers['x-amz-request-id']
      response.resume()
      response.on('close', () =>
        resolve(response.complete ? { status: response.statusCode ?? 0, requestId: String(requestId) } : undefined),
      )
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'away' : undefined))
    outgoing.end(body)
  })
}

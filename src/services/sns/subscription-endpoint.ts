// Endpoints of subscriptions: what of them SNS itself knows, and which are confirmed at once. Whether a protocol is offered, and the form
// of its endpoints beyond that, its deliverer says.
import { parseArn } from '../../model/arn.ts'
import { isSmsEndpoint } from '../../model/sms.ts'
import type { Topic } from '../../model/topic.ts'
import type { TableReader } from '../../engine/tables.ts'
import { invalidParameter, invalidPersonal } from './errors.ts'
import type { SnsParts } from './operation.ts'
import { findEndpoint } from '../../engine/platform-endpoints.ts'

/** Throws AWS's refusal of an endpoint that is none for the protocol. */
export function checkEndpoint(tables: TableReader, { protocols }: SnsParts, protocol: string, endpoint: string, topic: Topic): string {
  if (topic.fifo !== undefined && protocol !== 'sqs' && PROTOCOLS.has(protocol))
    throw invalidParameter(`Invalid protocol type: ${protocol}`)
  const known = Object.hasOwn(protocols, protocol) ? protocols[protocol] : undefined
  if (known === undefined) throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol}`)
  if (known.unconfigured !== undefined) throw invalidParameter(known.unconfigured)
  // Quirk: this refusal bears no "Invalid parameter:" (recorded against AWS).
  if (protocol === 'sms' && !isSmsEndpoint(endpoint)) throw invalidPersonal((number) => `Invalid SMS endpoint: ${number}`, endpoint)
  if (protocol === 'application') checkPlatformEndpoint(tables, endpoint)
  if (protocol === 'sqs') checkQueue(endpoint, topic)
  const problem = known.validate(endpoint)
  if (problem !== undefined) throw invalidParameter(problem)
  return endpoint
}

/** "Amazon SNS subscriptions": texts, and what AWS runs in the topic's own account, need no confirmation. */
export function isConfirmedAtOnce({ protocols }: SnsParts, protocol: string, endpoint: string, topic: Topic): boolean {
  if (protocols[protocol]?.isCapture === true) return true
  return protocol === 'sms' || (OF_AN_ACCOUNT.has(protocol) && parseArn(endpoint)?.account === topic.owner)
}

/** Those that AWS knows: a FIFO topic has another word for them. */
const PROTOCOLS: ReadonlySet<string> = new Set(['application', 'email', 'email-json', 'firehose', 'http', 'https', 'lambda', 'sms', 'sqs'])
const OF_AN_ACCOUNT: ReadonlySet<string> = new Set(['sqs', 'lambda', 'firehose', 'application'])

function checkQueue(endpoint: string, topic: Topic): void {
  const arn = parseArn(endpoint)
  if (arn === undefined || arn.service !== 'sqs' || arn.resource === '') throw invalidParameter('SQS endpoint ARN')
  if (arn.resource.endsWith('.fifo') && !topic.topicArn.endsWith('.fifo'))
    throw invalidParameter('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics')
}

function checkPlatformEndpoint(tables: TableReader, endpoint: string): void {
  if (parseArn(endpoint) === undefined) throw invalidParameter(`Application endpoint arn invalid:${endpoint}`)
  // Quirk: no space behind "arn" (recorded against AWS).
  if (findEndpoint(tables, endpoint) === undefined)
    throw invalidParameter(`Endpoint Reason: Endpoint does not exist for endpoint arn${endpoint}`)
}

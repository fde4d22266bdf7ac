// How a queue is named: by URL towards clients, by ARN inside. A URL counts by its path alone, so that it works through any host by
// which the server is reached; the region is the call's.
import type { Call, EventResource } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { isAccountId, parseArn } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import { accessDenied, invalidAddress, queueDoesNotExist } from './errors.ts'

export interface QueueInput {
  readonly QueueUrl: string
}

export function queueArn({ partition, region }: Call, account: string, name: string): string {
  return `arn:${partition}:sqs:${region}:${account}:${name}`
}

export function queueUrl({ tls, host }: Call, arn: string): string {
  const [account, name] = ownerAndName(arn)
  return `${tls === undefined ? 'http' : 'https'}://${host}/${account}/${name}`
}

/** Throws InvalidAddress for what is no queue URL. */
export function queueArnOf({ QueueUrl }: QueueInput, call: Call): string {
  const nameAt = QueueUrl.lastIndexOf('/') + 1
  const accountAt = QueueUrl.lastIndexOf('/', nameAt - 2) + 1
  const account = QueueUrl.slice(accountAt, nameAt - 1)
  if (nameAt < 2 || !isAccountId(account)) throw invalidAddress(QueueUrl)
  const name = QueueUrl.slice(nameAt)
  if (!isQueueName(name)) throw queueDoesNotExist()
  return queueArn(call, account, name)
}

export function isQueueName(name: string): boolean {
  return /^(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$/.test(name)
}

export function requireQueue(tables: TableReader, input: QueueInput, call: Call): Queue {
  const queue = tables.get(Table.queues, queueArnOf(input, call))
  if (queue === undefined) throw queueDoesNotExist()
  return queue
}

export function requireOwnQueue(tables: TableReader, input: QueueInput, call: Call): Queue {
  requireOwner(queueArnOf(input, call), call)
  return requireQueue(tables, input, call)
}

/** For what a queue's policy cannot give to other accounts (SQS Developer Guide, "Limitations of Amazon SQS custom policies"). */
export function requireOwner(arn: string, call: Call): void {
  const [account] = ownerAndName(arn)
  if (account !== call.account) {
    const caller = call.principal.arn === '' ? (call.principal.service ?? 'anonymous') : call.principal.arn
    throw accessDenied(`User: ${caller} is not authorized to perform: sqs:${call.operation} on resource: ${arn}`)
  }
}

export function queueResources(input: QueueInput, call: Call): readonly EventResource[] {
  return arnResources(queueArnOf(input, call))
}

export function arnResources(arn: string): readonly EventResource[] {
  return [{ type: 'AWS::SQS::Queue', arn, account: ownerAndName(arn)[0] }]
}

export function isQueueArn(arn: string): boolean {
  const parsed = parseArn(arn)
  return parsed?.service === 'sqs' && isAccountId(parsed.account) && isQueueName(parsed.resource)
}

/** A queue's name holds no colon, and an account id has 12 digits: no need to take the ARN apart on each call. */
function ownerAndName(arn: string): readonly [string, string] {
  const nameAt = arn.lastIndexOf(':') + 1
  return [arn.slice(nameAt - 13, nameAt - 1), arn.slice(nameAt)]
}

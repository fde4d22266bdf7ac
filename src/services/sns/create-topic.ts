// CreateTopic: idempotent for the same name; what is supplied again must equal what the topic has.
import type { CreateTopicInput, CreateTopicResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { topicPrefix } from './arns.ts'
import { withArchive } from './archive-policy.ts'
import { checkDataProtectionPolicy } from './protection/examination.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { invalidParameter, topicLimitExceeded } from './errors.ts'
import type { SnsLimits } from './limits.ts'
import type { SnsOperation } from './operation.ts'
import { tagsOf } from './tags.ts'
import { checkTopicAttribute } from './topic-attributes.ts'

const NAME = /^[A-Za-z0-9_-]{1,256}$/
/** 256 characters with its end. */
const FIFO_NAME = /^[A-Za-z0-9_-]{1,251}\.fifo$/

export const createTopic: SnsOperation<CreateTopicInput, CreateTopicResponse> = ({ limits }) => ({
  name: 'CreateTopic',
  access: 'write',
  resource: (input, call) => topicPrefix(call) + (input.Name ?? ''),
  ...(limits !== undefined && {
    prepare: (call: Call) => Promise.all([limits.topics.load(topicPrefix(call)), limits.fifoTopics.load(topicPrefix(call))]),
  }),
  run(tx, input, call) {
    const name = input.Name ?? ''
    const isFifo = readFifoTopic(input.Attributes?.['FifoTopic'])
    if (!(isFifo ? FIFO_NAME : NAME).test(name)) throw invalidParameter('Topic Name')
    const attributes = checkAttributes(input.Attributes ?? {}, isFifo)
    const tags = tagsOf(input.Tags)
    const topicArn = topicPrefix(call) + name
    const dataProtectionPolicy = checkDataProtectionPolicy(input.DataProtectionPolicy ?? '')
    if (dataProtectionPolicy !== undefined) call.require('PutDataProtectionPolicy', topicArn)
    const existing = tx.get(Table.topics, topicArn)
    if (existing !== undefined) {
      checkEqual(existing, attributes, tags)
      if (dataProtectionPolicy !== undefined && dataProtectionPolicy !== existing.dataProtectionPolicy)
        throw invalidParameter('DataProtectionPolicy Reason: Topic already exists with a different data protection policy')
      return { TopicArn: topicArn }
    }
    if (limits !== undefined) checkRoom(limits, topicPrefix(call), isFifo)
    const topic: Topic = {
      topicArn,
      owner: call.account,
      createdAt: tx.now,
      attributes,
      tags,
      subscriptionsDeleted: 0,
      ...(dataProtectionPolicy !== undefined && { dataProtectionPolicy }),
    }
    tx.put(Table.topics, topicArn, isFifo ? withArchive(tx, call.env, fifoTopic(tx, topic)) : topic)
    return { TopicArn: topicArn }
  },
})

/** In any case of letters, as AWS takes it. */
function readFifoTopic(value: string | undefined): boolean {
  const text = value?.toLowerCase() ?? 'false'
  if (text !== 'true' && text !== 'false')
    throw invalidParameter(`Attributes Reason: FifoTopic: Invalid value [${value}]. Must be true or false.`)
  return text === 'true'
}

/** What a FIFO topic has besides: it is one from its creation on. */
function fifoTopic(tx: Transaction, topic: Topic): Topic {
  return {
    ...topic,
    attributes: { ...FIFO_DEFAULTS, ...topic.attributes },
    fifo: { number: tx.nextNumber('queue'), changedAt: topic.createdAt },
  }
}

function checkRoom({ topics, topicsMax, fifoTopics, fifoTopicsMax }: SnsLimits, prefix: string, isFifo: boolean): void {
  const [count, max] = isFifo ? [fifoTopics, fifoTopicsMax] : [topics, topicsMax]
  if (count.of(prefix) >= max) throw topicLimitExceeded(max, isFifo)
}

function checkAttributes(given: Readonly<Record<string, string>>, isFifo: boolean): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (name === 'FifoTopic') continue
    const refuse = (text: string) => invalidParameter(`Attributes Reason: ${text}`)
    const kept = checkTopicAttribute(name, value, isFifo, refuse, `Unknown attribute ${name}`)
    if (kept !== undefined) attributes[name] = kept
  }
  return attributes
}

/** What every topic has. */
const DEFAULTS: Readonly<Record<string, string>> = { DisplayName: '' }
const FIFO_DEFAULTS = { ContentBasedDeduplication: 'false', FifoTopic: 'true' } as const

function checkEqual(topic: Topic, attributes: Readonly<Record<string, string>>, tags: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes))
    if ((topic.attributes[name] ?? DEFAULTS[name]) !== value)
      throw invalidParameter('Attributes Reason: Topic already exists with different attributes')
  for (const [key, value] of Object.entries(tags))
    if (topic.tags[key] !== value) throw invalidParameter('Tags Reason: Topic already exists with different tags')
}

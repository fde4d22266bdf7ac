// CreateTopic: idempotent for the same name; what is supplied again must equal what the topic has.
import type { CreateTopicInput, CreateTopicResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { checkDataProtectionPolicy } from './data-protection.ts'
import { invalidParameter, topicLimitExceeded } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { tagsOf } from './tags.ts'
import { checkTopicAttribute } from './topic-attributes.ts'

const NAME = /^[A-Za-z0-9_-]{1,256}$/

export const createTopic: SnsOperation<CreateTopicInput, CreateTopicResponse> = ({ limits }) => ({
  name: 'CreateTopic',
  access: 'write',
  resource: (input, call) => topicPrefix(call) + (input.Name ?? ''),
  ...(limits !== undefined && { prepare: (call: Call) => limits.topics.load(topicPrefix(call)) }),
  run(tx, input, call) {
    const name = input.Name ?? ''
    if (input.Attributes?.['FifoTopic']?.toLowerCase() === 'true' && name.endsWith('.fifo'))
      throw invalidParameter('Attributes Reason: FifoTopic: FIFO topics are not offered by this version of Sealcast')
    if (!NAME.test(name) || input.Attributes?.['FifoTopic']?.toLowerCase() === 'true') throw invalidParameter('Topic Name')
    const attributes = checkAttributes(input.Attributes ?? {})
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
    if (limits !== undefined && limits.topics.of(topicPrefix(call)) >= limits.topicsMax) throw topicLimitExceeded(limits.topicsMax)
    tx.put(Table.topics, topicArn, {
      topicArn,
      owner: call.account,
      createdAt: tx.now,
      attributes,
      tags,
      subscriptionsDeleted: 0,
      ...(dataProtectionPolicy !== undefined && { dataProtectionPolicy }),
    })
    return { TopicArn: topicArn }
  },
})

function topicPrefix({ partition, region, account }: Call): string {
  return `arn:${partition}:sns:${region}:${account}:`
}

function checkAttributes(given: Readonly<Record<string, string>>): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (name === 'FifoTopic') continue
    const refuse = (text: string) => invalidParameter(`Attributes Reason: ${text}`)
    const kept = checkTopicAttribute(name, value, refuse, `Unknown attribute ${name}`)
    if (kept !== undefined) attributes[name] = kept
  }
  return attributes
}

/** What every topic has. */
const DEFAULTS: Readonly<Record<string, string>> = { DisplayName: '' }

function checkEqual(topic: Topic, attributes: Readonly<Record<string, string>>, tags: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes))
    if ((topic.attributes[name] ?? DEFAULTS[name]) !== value)
      throw invalidParameter('Attributes Reason: Topic already exists with different attributes')
  for (const [key, value] of Object.entries(tags))
    if (topic.tags[key] !== value) throw invalidParameter('Tags Reason: Topic already exists with different tags')
}

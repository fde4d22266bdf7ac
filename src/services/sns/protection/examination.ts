// The messages of a call looked through before it decides, in steps that give way to other calls: what was found holds only for the
// policy and the subscribers that it was found with, and is looked for again where they changed meanwhile.
import type { Subscriber } from '../../../model/data-protection/audience.ts'
import type { Outgoing } from '../../../model/data-protection/outgoing.ts'
import { type DataProtectionPolicy, DataProtectionPolicyError, parseDataProtectionPolicy } from '../../../model/data-protection/policy.ts'
import type { StructuredBody } from '../../../model/data-protection/texts.ts'
import { anonymous } from '../../../model/principal.ts'
import { Table } from '../../../model/tables.ts'
import type { Topic } from '../../../model/topic.ts'
import { type Call, Wait } from '../../../engine/operation.ts'
import type { Publisher } from '../operation.ts'
import { invalidParameter } from '../errors.ts'
import type { SubscriberIndex } from '../subscribers.ts'
import { examine, type Examined } from './examine.ts'

export interface Examination {
  /** Of the message at that place among the call's. */
  of(at: number): Examined | undefined
  /** Undefined where what was found holds; else a wait until it was looked for again. Throws where there are too many copies. */
  check(topic: Topic): Wait | undefined
}

interface GivenMessage {
  readonly Message?: string | undefined
  readonly MessageStructure?: string | undefined
}

const STEPS_AT_ONCE = 4
const POLICIES_KEPT_MAX = 256
/** Of the copies of all messages of a call: they lie in one frame. */
const COPIES_BYTES_MAX = 2.5 * 1024 * 1024
/** A topic with encryption keeps each twice: sealed, in base64, for those outside, and for its queues. */
const SEALED_FACTOR = 2.5
const kept = new Map<string, DataProtectionPolicy>()

/** The policy as it is kept: undefined takes it away. Throws SNS's refusal. */
export function checkDataProtectionPolicy(text: string): string | undefined {
  if (text === '') return undefined
  try {
    parseDataProtectionPolicy(text)
  } catch (error) {
    throw error instanceof DataProtectionPolicyError ? invalidParameter(`DataProtectionPolicy Reason: ${error.message}`) : error
  }
  return text
}

/** Undefined where the topic protects nothing: then there is nothing to wait for. */
export function examineMessages(
  call: Call,
  subscribers: SubscriberIndex,
  topicArn: string | undefined,
  messages: readonly GivenMessage[],
): Promise<Examination> | undefined {
  const find = (): Topic | undefined => (topicArn === undefined ? undefined : call.env.tables.get(Table.topics, topicArn))
  const topic = find()
  if (topic?.dataProtectionPolicy === undefined) return undefined
  const bodies = messages.map(({ Message: body = '', MessageStructure }): StructuredBody =>
    MessageStructure === 'json' ? { body, structure: 'json' } : { body },
  )
  return look(call, subscribers, topic, bodies).then((first): Examination => {
    let current = first
    let looks = 1
    return {
      of: (at) => current.examined[at],
      check(now) {
        const isSamePolicy = current.policy === now.dataProtectionPolicy
        if (isSamePolicy && (!current.goesOut || current.kinds === subscribers.of(now).kinds || looks >= LOOKS_MAX)) {
          checkCopies(now, current.examined)
          return undefined
        }
        looks++
        return new Wait(look(call, subscribers, now, bodies).then((next) => void (current = next)))
      },
    }
  })
}

/** Subscribers who come all the time must not keep a message from being sent; those it was not looked through for get none. */
const LOOKS_MAX = 5

interface Found {
  readonly policy: string | undefined
  /** Whether the policy says anything of outgoing messages. */
  readonly goesOut: boolean
  readonly kinds: unknown
  readonly examined: readonly Examined[]
}

async function look(call: Call, index: SubscriberIndex, topic: Topic, bodies: readonly StructuredBody[]): Promise<Found> {
  const { dataProtectionPolicy: policy } = topic
  const { kinds } = index.of(topic)
  const examined: Examined[] = []
  if (policy === undefined) return { policy, kinds, examined, goesOut: false }
  const parsed = compiled(policy)
  let steps = 0
  for (const body of bodies) {
    const examining = examine(call.principal, parsed, kinds, body)
    let step = examining.next()
    while (step.done !== true) {
      if (++steps % STEPS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      step = examining.next()
    }
    examined.push(step.value)
  }
  return { policy, kinds, examined, goesOut: parsed.statements.some(({ direction }) => direction === 'outbound') }
}

/** In one step: for short messages of the server's own. Undefined where the topic protects nothing. */
export function examineAtOnce(call: Publisher, index: SubscriberIndex, topic: Topic, message: StructuredBody): Examined | undefined {
  if (topic.dataProtectionPolicy === undefined) return undefined
  const examining = examine(call.principal, compiled(topic.dataProtectionPolicy), index.of(topic).kinds, message)
  let step = examining.next()
  while (step.done !== true) step = examining.next()
  return step.value
}

/** What one subscriber gets of a message that was taken before, by the policy as it is now. Undefined: all of it. */
export async function examineFor(policy: string, subscriber: Subscriber, message: StructuredBody): Promise<Outgoing | undefined> {
  const { finders, name, statements } = compiled(policy)
  const outbound = { finders, name, statements: statements.filter(({ direction }) => direction === 'outbound') }
  const examining = examine(anonymous, outbound, [subscriber], message)
  for (let steps = 1; ; steps++) {
    const step = examining.next()
    if (step.done === true) return step.value.outgoing
    if (steps % STEPS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function checkCopies({ attributes }: Topic, examined: readonly Examined[]): void {
  const copies = examined.flatMap(({ outgoing }) => outgoing?.copies ?? [])
  const factor = attributes['KmsMasterKeyId'] === undefined ? 1 : SEALED_FACTOR
  const bytes = copies.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
  if (bytes * factor > COPIES_BYTES_MAX)
    throw invalidParameter(
      `Message too long: the topic's data protection policy makes ${copies.length} different copies of ${bytes} bytes together for its ` +
        `subscribers; at most ${COPIES_BYTES_MAX / factor} fit`,
    )
}

function compiled(text: string): DataProtectionPolicy {
  let policy = kept.get(text)
  if (policy === undefined) {
    for (const oldest of kept.keys()) {
      if (kept.size < POLICIES_KEPT_MAX) break
      kept.delete(oldest)
    }
    kept.set(text, (policy = parseDataProtectionPolicy(text)))
  }
  return policy
}

// How the message of a topic with encryption (KmsMasterKeyId) is kept for those outside: its body sealed under a data key that the message
// names, the rest as it is ("Encryption at rest in Amazon SNS"). A data key is used again for five minutes; only then the topic's key is
// asked, and may refuse. What the topic's own queues get is sealed as they ask for it.
import { NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import { parseArn } from '../model/arn.ts'
import type { StoredKey } from '../model/key.ts'
import type { MessageHeader } from '../model/message.ts'
import type { Topic } from '../model/topic.ts'
import type { Env } from './env.ts'
import { type DataKey, KeyBroken, KeyDisabled, KeyMissing, type Keys } from './keys.ts'
import type { Transaction } from './transaction.ts'

/** The key that AWS keeps for SNS in each account. */
const SERVICE_ALIAS = 'alias/aws/sns'
const REUSE_MS = 300_000
const KEPT_MAX = 10_000

type Parts = Pick<Env, 'keys' | 'random' | 'tables' | 'clock' | 'acts'>

/** What a topic's key has against a message. */
export interface TopicKeyProblem {
  readonly kind: 'missing' | 'disabled' | 'foreign'
  readonly message: string
}

class KeyForeign extends Error {
  override name = 'KeyForeign'
}

export function topicKeyProblem(error: unknown): TopicKeyProblem | undefined {
  if (error instanceof KeyMissing) return { kind: 'missing', message: error.message }
  if (error instanceof KeyDisabled) return { kind: 'disabled', message: error.message }
  return error instanceof KeyForeign ? { kind: 'foreign', message: error.message } : undefined
}

/** The message as it is kept. Throws what topicKeyProblem names. `publisher`: whose call it is. */
export function sealedForTopic(
  tx: Transaction,
  env: Parts,
  topic: Topic,
  { header, body }: { readonly header: MessageHeader; readonly body: string },
  publisher: { readonly account: string; readonly isService: boolean },
): { readonly header: MessageHeader; readonly body: string } {
  const { plain, sealed } = sealingKey(tx, env, topic, publisher)
  const bytes = sealBytes(plain, env.random.bytes(NONCE_BYTES), Buffer.from(body), boundOf(header))
  return { header: { ...header, bodySealedBy: sealed }, body: bytes.toString('base64') }
}

/** The body as it was published. Throws KeyMissing, KeyDisabled and KeyBroken. */
export function openedBody(env: Parts, header: MessageHeader, body: string): string {
  const { bodySealedBy, topicArn = '' } = header
  if (bodySealedBy === undefined) return body
  const plain = openBytes(openedKey(env, topicArn, bodySealedBy), Buffer.from(body, 'base64'), boundOf(header))
  if (plain === undefined) throw new KeyBroken(`a message of ${topicArn} does not open under the data key it names`)
  return plain.toString('utf8')
}

/** What was sealed or opened lately, so that it can be again without asking the key. */
interface Kept {
  readonly current: Map<string, { readonly key: DataKey; readonly until: number }>
  readonly opened: Map<string, { readonly plain: Buffer; readonly until: number }>
}
const kept = new WeakMap<Keys, Kept>()

function keptOf({ keys }: Parts): Kept {
  let found = kept.get(keys)
  if (found === undefined) kept.set(keys, (found = { current: new Map(), opened: new Map() }))
  return found
}

function sealingKey(tx: Transaction, env: Parts, topic: Topic, publisher: Parameters<typeof sealedForTopic>[4]): DataKey {
  const found = findKey(tx, env, topic)
  const key = found ?? makeServiceKey(tx, env, topic)
  if (publisher.account !== '' && publisher.account !== key.account) throw new KeyForeign(`The key ${key.arn} belongs to another account.`)
  if (publisher.isService && key.manager === 'service')
    throw new KeyForeign(`The key ${SERVICE_ALIAS} serves no other service. Name a key of your own in KmsMasterKeyId.`)
  const { current, opened } = keptOf(env)
  const name = `${topic.topicArn} ${key.keyId} ${key.version}`
  const last = current.get(name)
  if (last !== undefined && last.until > tx.now) return last.key
  const made = env.keys.dataKey(tx, key.keyId, contextOf(topic.topicArn))
  // A key of this very commit may never come to be.
  if (found === undefined) return made
  const until = tx.now + REUSE_MS
  keep(current, name, { key: made, until })
  keep(opened, made.sealed, { plain: made.plain, until })
  return made
}

function openedKey(env: Parts, topicArn: string, sealed: string): Buffer {
  const { opened } = keptOf(env)
  const now = env.clock.now()
  const known = opened.get(sealed)
  if (known !== undefined && known.until > now) return known.plain
  const plain = env.keys.open(env.tables, sealed, contextOf(topicArn))
  keep(opened, sealed, { plain, until: now + REUSE_MS })
  return plain
}

function keep<Value>(values: Map<string, Value>, name: string, value: Value): void {
  if (values.size >= KEPT_MAX) values.clear()
  values.set(name, value)
}

/** Undefined for the service's own key before anything was sealed with it. */
function findKey(tx: Transaction, { keys }: Parts, topic: Topic): StoredKey | undefined {
  const reference = topic.attributes['KmsMasterKeyId'] ?? ''
  const found = keys.find(tx, reference, placeOf(topic))
  if (found === undefined && reference !== SERVICE_ALIAS) throw new KeyMissing(`Invalid keyId '${reference}'`)
  return found
}

/** Made when it is first needed, as on AWS. */
function makeServiceKey(tx: Transaction, { keys, acts }: Parts, topic: Topic): StoredKey {
  const made = keys.create(tx, { ...placeOf(topic), alias: SERVICE_ALIAS, manager: 'service' })
  acts.tell(tx, { name: 'KeyCreated', details: { keyArn: made.arn, alias: SERVICE_ALIAS } })
  return made
}

function placeOf({ topicArn, owner }: Topic): { readonly account: string; readonly region: string } {
  return { account: owner, region: parseArn(topicArn)?.region ?? '' }
}

function contextOf(topicArn: string): Readonly<Record<string, string>> {
  return { 'aws:sns:topicArn': topicArn }
}

function boundOf({ messageId }: MessageHeader): string {
  return `published message ${messageId}`
}

// How a queue keeps a message, and how it is read again: as it is, or with body, checksum, subject and attributes sealed, where the
// queue's attributes ask for it. A sealed message names the data key that opens it, so that it outlives every change of the queue's
// attributes and of its key's versions. Data keys are used again for as long as the queue says; only then the key itself is asked, and
// may refuse.
import { NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import { assert } from '../base/assert.ts'
import { parseArn } from '../model/arn.ts'
import { readEntryAt } from '../model/entry.ts'
import type { StoredKey } from '../model/key.ts'
import type { MessageHeader } from '../model/message.ts'
import { settingsOf } from '../model/queue-attributes.ts'
import type { QueueEncryption } from '../model/queue-encryption.ts'
import type { Queue } from '../model/topic.ts'
import type { Env } from './env.ts'
import { type DataKey, KeyBroken, KeyDisabled, KeyMissing, type KeyPlace, type Keys, OBJECTS_KEY } from './keys.ts'
import type { TableReader } from './tables.ts'
import type { MessageReference, Transaction } from './transaction.ts'

/** Who lets a key work: an account, or a service on behalf of one. The server itself, moving a message, needs none. */
export interface KeyUser {
  readonly account: string
  readonly isService: boolean
}

/** The key serves its own account alone; that of the service, no other service. */
class KeyForeign extends Error {
  override name = 'KeyForeign'
}

/** The key of a queue that names none: AWS's alias for it. */
const SERVICE_ALIAS = 'alias/aws/sqs'
const KEPT_MAX = 10_000

interface SealedHeader extends MessageHeader {
  /** The data key, sealed. What it seals: the length of what is hidden of the header as JSON (u32 LE), that JSON, the body. */
  readonly sealedBy?: string
}

type Parts = Pick<Env, 'keys' | 'random' | 'tables' | 'clock' | 'acts'>

/** What was sealed or opened lately, so that it can be again without asking the key. */
interface Kept {
  readonly current: Map<string, { readonly key: DataKey; readonly until: number }>
  readonly opened: Map<string, { readonly plain: Buffer; readonly until: number }>
}
const kept = new WeakMap<Keys, Kept>()

/**
 * Stages a message as `queue` keeps it. Throws KeyMissing, KeyDisabled and KeyForeign, and then has staged nothing. `user` undefined: the
 * server itself.
 */
export function stageQueued(
  tx: Transaction,
  env: Parts,
  queue: Queue,
  { header, body }: { readonly header: MessageHeader; readonly body: string },
  user: KeyUser | undefined,
): MessageReference {
  const { encryption } = settingsOf(queue)
  if (encryption === undefined) return tx.message(header, body, false)
  const { plain, sealed } = sealingKey(tx, env, queue, encryption, user)
  const { attributes, subject, bodyMd5, ...open } = header
  const hidden = JSON.stringify({ attributes, subject, bodyMd5 })
  const content = Buffer.allocUnsafe(4 + Buffer.byteLength(hidden) + Buffer.byteLength(body))
  const hiddenEnd = content.writeUInt32LE(Buffer.byteLength(hidden), 0) + content.write(hidden, 4, 'utf8')
  content.write(body, hiddenEnd, 'utf8')
  const sealedHeader: SealedHeader = { ...open, sealedBy: sealed }
  return tx.message(sealedHeader, sealBytes(plain, env.random.bytes(NONCE_BYTES), content, boundOf(header)), false)
}

/** `bytes`: a message entry as the queue store gives it for `queue`. Throws KeyMissing, KeyDisabled and KeyBroken. */
export function readQueued<Header extends MessageHeader>(
  env: Parts,
  queueArn: string,
  bytes: Buffer,
): { readonly header: Header; readonly body: string } {
  const entry = readEntryAt(bytes)
  assert(entry.kind === 'message', 'a queued message is a message entry')
  const header = JSON.parse(entry.header.toString('utf8')) as Header & SealedHeader
  const { sealedBy, ...open } = header
  if (sealedBy === undefined) return { header, body: entry.body.toString('utf8') }
  const content = openBytes(openedKey(env, queueArn, sealedBy), entry.body, boundOf(header))
  if (content === undefined) throw new KeyBroken(`a message of ${queueArn} does not open under the data key it names`)
  const hiddenEnd = 4 + content.readUInt32LE(0)
  const hidden = JSON.parse(content.toString('utf8', 4, hiddenEnd)) as Pick<MessageHeader, 'attributes' | 'subject' | 'bodyMd5'>
  return { header: { ...open, ...hidden } as unknown as Header, body: content.toString('utf8', hiddenEnd) }
}

/** Whether the queue's key would seal and open at this moment. Throws KeyMissing, KeyDisabled and KeyForeign. Stages nothing. */
export function checkQueueKey(tables: TableReader, env: Parts, queue: Queue, user: KeyUser | undefined, now: number): void {
  const { encryption } = settingsOf(queue)
  if (encryption?.keyId === undefined) return
  const key = findKey(tables, env, queue, encryption.keyId)
  if (key === undefined) return
  if (user !== undefined) checkUser(key, user)
  if (lastKey(env, queue, key, encryption, now) === undefined && !key.isEnabled) throw new KeyDisabled(`${key.arn} is disabled.`)
}

/** Whether the server itself could put a message there. */
export function hasWorkingKey(tx: Transaction, env: Parts, queue: Queue): boolean {
  try {
    checkQueueKey(tx, env, queue, undefined, tx.now)
    return true
  } catch (error) {
    if (keyProblem(error) === undefined) throw error
    return false
  }
}

export interface KeyProblem {
  readonly kind: 'missing' | 'disabled' | 'foreign'
  readonly message: string
}

/** What a queue's key has against it, or undefined for another error. */
export function keyProblem(error: unknown): KeyProblem | undefined {
  if (error instanceof KeyMissing) return { kind: 'missing', message: error.message }
  if (error instanceof KeyDisabled) return { kind: 'disabled', message: error.message }
  return error instanceof KeyForeign ? { kind: 'foreign', message: error.message } : undefined
}

function boundOf({ messageId }: MessageHeader): string {
  return `queued message ${messageId}`
}

function keptOf({ keys }: Parts): Kept {
  let found = kept.get(keys)
  if (found === undefined) kept.set(keys, (found = { current: new Map(), opened: new Map() }))
  return found
}

function sealingKey(tx: Transaction, env: Parts, queue: Queue, encryption: QueueEncryption, user: KeyUser | undefined): DataKey {
  const found = encryption.keyId === undefined ? ownKey(tx, env) : findKey(tx, env, queue, encryption.keyId)
  const key = found ?? makeServiceKey(tx, env, queue)
  if (user !== undefined && encryption.keyId !== undefined) checkUser(key, user)
  const last = lastKey(env, queue, key, encryption, tx.now)
  if (last !== undefined) return last
  const made = env.keys.dataKey(tx, key.keyId, contextOf(queue.queueArn))
  // A key of this very commit may never come to be.
  if (found === undefined) return made
  const { current, opened } = keptOf(env)
  const until = tx.now + encryption.reuseMs
  keep(current, currentName(queue, key), { key: made, until })
  keep(opened, made.sealed, { plain: made.plain, until })
  return made
}

/** The data key that is used again, or undefined when its time is over. */
function lastKey(env: Parts, queue: Queue, key: StoredKey, { reuseMs }: QueueEncryption, now: number): DataKey | undefined {
  const known = keptOf(env).current.get(currentName(queue, key))
  return known !== undefined && known.until > now && known.until <= now + reuseMs ? known.key : undefined
}

function currentName({ number }: Queue, { keyId, version }: StoredKey): string {
  return `${number} ${keyId} ${version}`
}

function openedKey(env: Parts, queueArn: string, sealed: string): Buffer {
  const { opened } = keptOf(env)
  const now = env.clock.now()
  const known = opened.get(sealed)
  if (known !== undefined && known.until > now) return known.plain
  const plain = env.keys.open(env.tables, sealed, contextOf(queueArn))
  keep(opened, sealed, { plain, until: now + REUSE_OPENED_MS })
  return plain
}

/** A key that opened is asked again as often as one that seals by default. */
const REUSE_OPENED_MS = 300_000

function keep<Value>(values: Map<string, Value>, name: string, value: Value): void {
  if (values.size >= KEPT_MAX) values.clear()
  values.set(name, value)
}

function contextOf(queueArn: string): Readonly<Record<string, string>> {
  return { 'aws:sqs:arn': queueArn }
}

function ownKey(tables: TableReader, { keys }: Parts): StoredKey {
  const own = keys.own(tables, OBJECTS_KEY)
  if (own === undefined) throw new KeyMissing(`the server has no key ${OBJECTS_KEY}`)
  return own
}

/** Undefined for the service's own key before anything was sealed with it. */
function findKey(tables: TableReader, { keys }: Parts, queue: Queue, keyId: string): StoredKey | undefined {
  const place = placeOf(queue)
  const found = keys.find(tables, keyId, place)
  if (found !== undefined && found.region === place.region) return found
  if (keyId !== SERVICE_ALIAS) throw new KeyMissing(`Invalid keyId '${keyId}'`)
  return undefined
}

/** Made when it is first needed, as on AWS. */
function makeServiceKey(tx: Transaction, { keys, acts }: Parts, queue: Queue): StoredKey {
  const made = keys.create(tx, { ...placeOf(queue), alias: SERVICE_ALIAS, manager: 'service' })
  acts.tell(tx, { name: 'KeyCreated', details: { keyArn: made.arn, alias: SERVICE_ALIAS } })
  return made
}

function placeOf({ queueArn, owner }: Queue): KeyPlace {
  return { account: owner, region: parseArn(queueArn)?.region ?? '' }
}

function checkUser(key: StoredKey, { account, isService }: KeyUser): void {
  if (account !== '' && account !== key.account) throw new KeyForeign(`The key ${key.arn} belongs to another account.`)
  if (isService && key.manager === 'service')
    throw new KeyForeign(`The key ${SERVICE_ALIAS} serves no other service. Name a key of your own in KmsMasterKeyId.`)
}

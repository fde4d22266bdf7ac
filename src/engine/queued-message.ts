// How a queue keeps a message, and how it is read again: as it is, or with body, checksum, subject and attributes sealed, where the
// queue's attributes ask for it. A sealed message names the data key that opens it, so that it outlives every change of the queue's
// attributes and of its key's versions.
import { NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import { assert } from '../base/assert.ts'
import { readEntryAt } from '../model/entry.ts'
import type { MessageHeader } from '../model/message.ts'
import { settingsOf } from '../model/queue-attributes.ts'
import type { QueueEncryption } from '../model/queue-encryption.ts'
import type { Queue } from '../model/topic.ts'
import { KeyBroken } from './keys.ts'
import { checkKey, type KeyParts, keyProblem, type KeyUser, openedKey, type SealedResource, sealingKey } from './message-keys.ts'
import type { TableReader } from './tables.ts'
import type { MessageReference, Transaction } from './transaction.ts'

const SQS = { alias: 'alias/aws/sqs', contextName: 'aws:sqs:arn' }

interface SealedHeader extends MessageHeader {
  /** The data key, sealed. What it seals: the length of what is hidden of the header as JSON (u32 LE), that JSON, the body. */
  readonly sealedBy?: string
}

/** Stages a message as `queue` keeps it. Throws what keyProblem names, and then has staged nothing. `user` undefined: the server itself. */
export function stageQueued(
  tx: Transaction,
  env: KeyParts,
  queue: Queue,
  { header, body }: { readonly header: MessageHeader; readonly body: string },
  user: KeyUser | undefined,
): MessageReference {
  const { encryption } = settingsOf(queue)
  if (encryption === undefined) return tx.message(header, body, false)
  const { plain, sealed } = sealingKey(tx, env, sealedQueue(queue, encryption), user)
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
  env: KeyParts,
  queueArn: string,
  bytes: Buffer,
): { readonly header: Header; readonly body: string } {
  const entry = readEntryAt(bytes)
  assert(entry.kind === 'message', 'a queued message is a message entry')
  const header = JSON.parse(entry.header.toString('utf8')) as Header & SealedHeader
  if (header.sealedBy === undefined) return { header, body: entry.body.toString('utf8') }
  const { sealedBy, ...open } = header
  const content = openBytes(openedKey(env, SQS, queueArn, sealedBy), entry.body, boundOf(header))
  if (content === undefined) throw new KeyBroken(`a message of ${queueArn} does not open under the data key it names`)
  const hiddenEnd = 4 + content.readUInt32LE(0)
  const hidden = JSON.parse(content.toString('utf8', 4, hiddenEnd)) as Pick<MessageHeader, 'attributes' | 'subject' | 'bodyMd5'>
  return { header: { ...open, ...hidden } as unknown as Header, body: content.toString('utf8', hiddenEnd) }
}

/** Whether the queue's key would seal and open at this moment. Throws what keyProblem names. Stages nothing. */
export function checkQueueKey(tables: TableReader, env: KeyParts, queue: Queue, user: KeyUser | undefined, now: number): void {
  const { encryption } = settingsOf(queue)
  if (encryption !== undefined) checkKey(tables, env, sealedQueue(queue, encryption), user, now)
}

/** Whether the server itself could put a message there. */
export function hasWorkingKey(tx: Transaction, env: KeyParts, queue: Queue): boolean {
  try {
    checkQueueKey(tx, env, queue, undefined, tx.now)
    return true
  } catch (error) {
    if (keyProblem(error) === undefined) throw error
    return false
  }
}

function sealedQueue({ queueArn, owner }: Queue, { keyId, reuseMs }: QueueEncryption): SealedResource {
  return { service: SQS, arn: queueArn, owner, keyId, reuseMs }
}

function boundOf({ messageId }: MessageHeader): string {
  return `queued message ${messageId}`
}

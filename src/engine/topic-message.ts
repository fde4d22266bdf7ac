// How the message of a topic with encryption (KmsMasterKeyId) is kept for those outside: its body sealed under a data key that the message
// names, the rest as it is ("Encryption at rest in Amazon SNS"). What the topic's own queues get is sealed as they ask for it.
import { NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import type { MessageHeader } from '../model/message.ts'
import type { Topic } from '../model/topic.ts'
import { KeyBroken } from './keys.ts'
import { type KeyParts, type KeyUser, openedKey, REUSE_MS, sealingKey } from './message-keys.ts'
import type { Transaction } from './transaction.ts'

const SNS = { alias: 'alias/aws/sns', contextName: 'aws:sns:topicArn' }

/** The message as it is kept. Throws what keyProblem names. `publisher`: whose call it is. */
export function sealedForTopic(
  tx: Transaction,
  env: KeyParts,
  { topicArn, owner, attributes }: Topic,
  { header, body }: { readonly header: MessageHeader; readonly body: string },
  publisher: KeyUser,
): { readonly header: MessageHeader; readonly body: string } {
  const resource = { service: SNS, arn: topicArn, owner, keyId: attributes['KmsMasterKeyId'], reuseMs: REUSE_MS }
  const { plain, sealed } = sealingKey(tx, env, resource, publisher)
  const bytes = sealBytes(plain, env.random.bytes(NONCE_BYTES), Buffer.from(body), boundOf(header))
  return { header: { ...header, bodySealedBy: sealed }, body: bytes.toString('base64') }
}

/** The body as it was published. Throws KeyMissing, KeyDisabled and KeyBroken. */
export function openedBody(env: KeyParts, header: MessageHeader, body: string): string {
  const { bodySealedBy, topicArn = '' } = header
  if (bodySealedBy === undefined) return body
  const plain = openBytes(openedKey(env, SNS, topicArn, bodySealedBy), Buffer.from(body, 'base64'), boundOf(header))
  if (plain === undefined) throw new KeyBroken(`a message of ${topicArn} does not open under the data key it names`)
  return plain.toString('utf8')
}

function boundOf({ messageId }: MessageHeader): string {
  return `published message ${messageId}`
}

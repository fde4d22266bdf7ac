// The id of a delivery: the same for the same message and subscription, so that what comes again is known. A UUID of version 8 (RFC 9562)
// of the hashes of both, each made once: a message goes to many subscriptions, and many messages to each.
import { hash } from 'node:crypto'

/** The first 128 bits of a hash, as four numbers. */
type Words = readonly [number, number, number, number]

const SUBSCRIPTIONS_KEPT_MAX = 10_000
const subscriptions = new Map<string, Words>()
let lastMessage: { readonly id: string; readonly words: Words } | undefined

export function deliveryIdOfMessage(messageId: string, subscriptionArn: string): string {
  if (lastMessage?.id !== messageId) lastMessage = { id: messageId, words: wordsOf(messageId) }
  let subscription = subscriptions.get(subscriptionArn)
  if (subscription === undefined) {
    if (subscriptions.size >= SUBSCRIPTIONS_KEPT_MAX) subscriptions.clear()
    subscriptions.set(subscriptionArn, (subscription = wordsOf(subscriptionArn)))
  }
  const { words } = lastMessage
  return uuidOf([
    words[0] ^ subscription[0],
    ((words[1] ^ subscription[1]) & 0xffff0fff) | 0x8000,
    ((words[2] ^ subscription[2]) & 0x3fffffff) | 0x80000000,
    words[3] ^ subscription[3],
  ])
}

function wordsOf(text: string): Words {
  const digest = hash('sha256', text, 'buffer')
  return [digest.readInt32BE(0), digest.readInt32BE(4), digest.readInt32BE(8), digest.readInt32BE(12)]
}

const DIGITS = Buffer.from('0123456789abcdef')
/** How many digits stand before each dash. */
const DASHES = [8, 12, 16, 20]
const text = Buffer.alloc(36, '-')
/** Where each of the 32 digits stands. */
const places = Array.from({ length: 32 }, (_, digit) => digit + DASHES.filter((before) => before <= digit).length)

function uuidOf(words: Words): string {
  for (let digit = 0; digit < 32; digit++)
    text[places[digit] ?? 0] = DIGITS[((words[digit >> 3] ?? 0) >>> (28 - (digit & 7) * 4)) & 15] ?? 0
  return text.toString('latin1')
}

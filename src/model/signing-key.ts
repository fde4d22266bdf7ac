// The keys of Signature Version 4 and what is done with them: derived once a day per secret, region and service, then kept.
import { createHmac, hash } from 'node:crypto'
import { WIRE } from './limits.ts'

/** An HMAC key as the two padded blocks of RFC 2104: two one-shot hashes cost half of a createHmac. */
export interface SigningKey {
  readonly inner: Buffer
  readonly outer: Buffer
}

const BLOCK_BYTES = 64
/** Longer messages get a buffer of their own. */
const MESSAGE_BYTES = 4096
const scratch = Buffer.allocUnsafeSlow(MESSAGE_BYTES)
const DIGEST_BYTES = 32
const outerScratch = Buffer.allocUnsafeSlow(BLOCK_BYTES + DIGEST_BYTES)

/** HMAC-SHA256 in hexadecimal; `message` is Latin-1. */
export function sign({ inner, outer }: SigningKey, message: string): string {
  const bytes = BLOCK_BYTES + message.length
  const first = bytes > MESSAGE_BYTES ? Buffer.alloc(bytes) : scratch
  first.set(inner, 0)
  first.write(message, BLOCK_BYTES, 'latin1')
  // One-shot hashes into text are three times as fast as into a new Buffer.
  const digest = hash('sha256', first.subarray(0, bytes), 'hex')
  outerScratch.set(outer, 0)
  outerScratch.write(digest, BLOCK_BYTES, 'hex')
  return hash('sha256', outerScratch, 'hex')
}

/** Compares two signatures in hexadecimal in a time that does not depend on where they differ. */
export function isSameSignature(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  return difference === 0
}

const keys = new Map<string, SigningKey>()
/** Requests of one client follow each other. */
let last: { readonly secret: string; readonly scope: KeyScope; readonly key: SigningKey } | undefined

export interface KeyScope {
  /** 20260102 */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** Signing keys last a day; they are kept by what they derive from. */
export function signingKey(secret: string, scope: KeyScope): SigningKey {
  if (last !== undefined && last.secret === secret && isSameScope(last.scope, scope)) return last.key
  const key = keptKey(secret, scope)
  last = { secret, scope, key }
  return key
}

function isSameScope(one: KeyScope, other: KeyScope): boolean {
  return one.date === other.date && one.region === other.region && one.service === other.service
}

function keptKey(secret: string, { date, region, service }: KeyScope): SigningKey {
  const name = `${date}/${region}/${service}/${secret}`
  const known = keys.get(name)
  if (known !== undefined) return known
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest()
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request')
  const padded = (pad: number) => Buffer.alloc(BLOCK_BYTES, pad).map((byte, at) => byte ^ (key[at] ?? 0)) as Buffer
  const blocks = { inner: padded(0x36), outer: padded(0x5c) }
  if (keys.size >= WIRE.signingKeysCached) {
    const [oldest] = keys.keys()
    if (oldest !== undefined) keys.delete(oldest)
  }
  keys.set(name, blocks)
  return blocks
}

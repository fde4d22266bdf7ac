// The keys that sign digests: RSA-2048, one at a time for each region, made when the first digest needs one, rotated by schedule or
// command. Private parts are kept sealed, and go when the key's validity is over; public parts stay listed, or old digests could not be
// validated. The validity of a key and of its successor overlap.
import { createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { digestKeyFingerprint, digestPublicKeyDer } from '../model/digest.ts'
import type { DigestKey } from '../model/digest-chain.ts'
import { Table } from '../model/tables.ts'
import type { Env } from './env.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

/** A key pair that no one knows yet. */
export interface FreshDigestKey {
  readonly fingerprint: string
  /** Base64 of DER. */
  readonly publicKey: string
  readonly privateKeyPem: string
}

export interface DigestSigner {
  readonly fingerprint: string
  /** Lower-case hex, RSASSA-PKCS1-v1_5 with SHA-256: the same text always gets the same signature. Takes about 0.3 ms. */
  sign(text: string): string
}

export interface DigestKeys {
  /** The region's signer for a digest of that time; makes or rotates the key where it has to be. */
  signer(region: string, window: DigestWindow): Promise<DigestSigner>
  /** Widens the key's validity where it does not hold the digest's time: who validates asks for the keys of a time. */
  cover(tx: Transaction, region: string, fingerprint: string, window: DigestWindow): void
}

/** In ms since 1970. */
export interface DigestWindow {
  readonly startsAt: number
  readonly endsAt: number
}

const RSA_BITS = 2048
const DAY_MS = 86_400_000
/** How long a key that has a successor stays valid. */
const OVERLAP_MS = 2 * DAY_MS

/** Takes tenths of a second, off the main thread. */
export async function createDigestKey(): Promise<FreshDigestKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS })
  const der = digestPublicKeyDer(privateKey)
  return {
    fingerprint: digestKeyFingerprint(der),
    publicKey: der.toString('base64'),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

export interface KeyParts {
  readonly seal: Env['seal']
  readonly acts: Env['acts']
  /** After so many days a key gets a successor. */
  readonly rotationDays: number
}

/** Makes the key the region's current one; its predecessor stays valid for a while. `validFrom` in ms since 1970. */
export function putDigestKey(tx: Transaction, parts: KeyParts, region: string, fresh: FreshDigestKey, validFrom = tx.now): DigestKey {
  const from = Math.floor(Math.min(validFrom, tx.now) / 1000) * 1000
  const before = digestKeysOf(tx, region)
  for (const { sealedPrivateKey, ...key } of before) {
    const validUntil = Math.max(key.validFrom, Math.min(key.validUntil, tx.now + OVERLAP_MS))
    const isSigning = sealedPrivateKey !== undefined && validUntil >= tx.now
    if (validUntil === key.validUntil && (isSigning || sealedPrivateKey === undefined)) continue
    tx.put(Table.digestKeys, keyName(key), { ...key, validUntil, ...(isSigning && { sealedPrivateKey }) })
  }
  const { fingerprint, publicKey, privateKeyPem } = fresh
  const key: DigestKey = {
    region,
    fingerprint,
    publicKey,
    sealedPrivateKey: parts.seal.seal(privateKeyPem, digestKeyContext(region, fingerprint)),
    createdAt: tx.now,
    validFrom: from,
    validUntil: from + parts.rotationDays * DAY_MS + OVERLAP_MS,
  }
  tx.put(Table.digestKeys, keyName(key), key)
  parts.acts.tell(tx, {
    name: before.length === 0 ? 'DigestKeyCreated' : 'DigestKeyRotated',
    details: { region, fingerprint, previousFingerprint: before.at(-1)?.fingerprint ?? null },
  })
  return key
}

/** The region's keys, the oldest first; those of all regions without one. */
export function digestKeysOf(tables: TableReader, region?: string): readonly DigestKey[] {
  return tables
    .range(Table.digestKeys, region === undefined ? {} : { prefix: `${region}/` })
    .map(({ value }) => value)
    .sort((a, b) => a.createdAt - b.createdAt)
}

export function createDigestKeys({ tables, commits, clock, seal, acts }: Env, rotationDays: number): DigestKeys {
  const parts: KeyParts = { seal, acts, rotationDays }
  const opened = new Map<string, KeyObject>()
  const open = ({ region, fingerprint, sealedPrivateKey = '' }: DigestKey): KeyObject => {
    let key = opened.get(fingerprint)
    if (key === undefined)
      opened.set(fingerprint, (key = createPrivateKey(seal.open(sealedPrivateKey, digestKeyContext(region, fingerprint)))))
    return key
  }
  const signing = (region: string): readonly DigestKey[] => digestKeysOf(tables, region).filter((key) => key.sealedPrivateKey !== undefined)
  return {
    async signer(region, { startsAt, endsAt }) {
      const newest = signing(region).at(-1)
      if (newest === undefined || clock.now() - newest.createdAt >= rotationDays * DAY_MS) {
        const fresh = await createDigestKey()
        await commits.commit((tx) => putDigestKey(tx, parts, region, fresh, newest === undefined ? startsAt : tx.now)).done
      }
      const keys = signing(region)
      const key = keys.findLast(({ validFrom }) => validFrom <= endsAt) ?? keys[0]
      if (key === undefined) throw new Error(`region ${region} has no key to sign digests with`)
      const privateKey = open(key)
      return { fingerprint: key.fingerprint, sign: (text) => sign('sha256', Buffer.from(text), privateKey).toString('hex') }
    },
    cover(tx, region, fingerprint, { startsAt, endsAt }) {
      const key = tx.get(Table.digestKeys, keyName({ region, fingerprint }))
      if (key === undefined || (key.validFrom <= endsAt && key.validUntil >= endsAt)) return
      tx.put(Table.digestKeys, keyName(key), {
        ...key,
        validFrom: Math.min(key.validFrom, startsAt),
        validUntil: Math.max(key.validUntil, endsAt),
      })
    },
  }
}

function keyName({ region, fingerprint }: Pick<DigestKey, 'region' | 'fingerprint'>): string {
  return `${region}/${fingerprint}`
}

export function digestKeyContext(region: string, fingerprint: string): string {
  return `digest-key ${region} ${fingerprint}`
}

// Signed notes (c2sp.org/signed-note): a text and, below a blank line, signatures by name. Ed25519 only; lines of keys that nobody asked
// for are passed over, as the format wants it. A key's name and public part travel as one word, the verifier key.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { sha256 } from './merkle.ts'

export const NOTE_BYTES_MAX = 1024 * 1024
const SIGNATURES_MAX = 100
const ED25519 = 1
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const KEY_HASH_BYTES = 4
const DASH = '\u2014'

export interface NoteKey {
  readonly name: string
  /** Four bytes, hexadecimal. */
  readonly hash: string
  readonly publicKey: KeyObject
}

export interface NoteSigner extends NoteKey {
  readonly privateKey: KeyObject
}

export interface SignedNote {
  /** Ends with a line feed. */
  readonly text: string
  readonly signatures: readonly { readonly name: string; readonly hash: string; readonly signature: Buffer }[]
}

/** `name+hash+base64`, as `--key` takes it. */
export function formatVerifierKey({ name, hash, publicKey }: NoteKey): string {
  return `${name}+${hash}+${Buffer.concat([Buffer.from([ED25519]), rawKey(publicKey)]).toString('base64')}`
}

/** Undefined for what is no Ed25519 verifier key. */
export function parseVerifierKey(text: string): NoteKey | undefined {
  const match = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text.trim())
  if (match === null) return undefined
  const [, name = '', hash = '', encoded = ''] = match
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 1 + KEY_BYTES || bytes[0] !== ED25519) return undefined
  const key = noteKey(name, bytes.subarray(1))
  return key !== undefined && key.hash === hash ? key : undefined
}

/** The signer of that name; the private key is an Ed25519 key in PEM (PKCS#8). */
export function noteSigner(name: string, privateKeyPem: string): NoteSigner {
  const privateKey = createPrivateKey(privateKeyPem)
  const publicKey = createPublicKey(privateKey)
  return { name, hash: keyHash(name, rawKey(publicKey)), publicKey, privateKey }
}

/** `text` MUST end with a line feed. */
export function signNote(text: string, signer: NoteSigner): string {
  const signature = sign(null, Buffer.from(text), signer.privateKey)
  const line = Buffer.concat([Buffer.from(signer.hash, 'hex'), signature]).toString('base64')
  return `${text}\n${DASH} ${signer.name} ${line}\n`
}

/** The parts of a note, its signatures unchecked; undefined for what is no signed note. */
export function parseNote(bytes: Buffer): SignedNote | undefined {
  if (bytes.length > NOTE_BYTES_MAX) return undefined
  const whole = bytes.toString('utf8')
  if (!Buffer.from(whole).equals(bytes) || hasControl(whole)) return undefined
  const end = whole.lastIndexOf('\n\n')
  if (end < 0 || !whole.endsWith('\n')) return undefined
  const lines = whole.slice(end + 2, -1).split('\n')
  if (lines.length > SIGNATURES_MAX) return undefined
  const signatures = lines.map(parseSignature)
  return signatures.every((signature) => signature !== undefined) ? { text: whole.slice(0, end + 1), signatures } : undefined
}

/** The notes of a file that holds one behind the other; what is between them comes along as it is, to be refused. */
export function splitNotes(bytes: Buffer): Buffer[] {
  const notes: string[] = []
  let rest = bytes.toString('utf8')
  for (let end = endOfNote(rest); end > 0; end = endOfNote(rest)) {
    notes.push(rest.slice(0, end))
    rest = rest.slice(end).replace(/^\n+/, '')
  }
  if (rest !== '') notes.push(rest)
  return notes.map((note) => Buffer.from(note))
}

/** Behind the first line with a signature that no other such line follows. */
function endOfNote(text: string): number {
  let at = text.indexOf(`\n${DASH} `)
  for (; at >= 0; at = text.indexOf('\n', at + 1)) if (!text.startsWith(DASH, at + 1)) return at + 1
  return 0
}

/** Those of `keys` that signed the note. A signature that names a key and does not hold makes the note invalid: undefined. */
export function signersOf({ text, signatures }: SignedNote, keys: readonly NoteKey[]): NoteKey[] | undefined {
  const signers: NoteKey[] = []
  for (const { name, hash, signature } of signatures) {
    const key = keys.find((known) => known.name === name && known.hash === hash)
    if (key === undefined || signers.includes(key)) continue
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(text), key.publicKey, signature)) return undefined
    signers.push(key)
  }
  return signers
}

function parseSignature(line: string): SignedNote['signatures'][number] | undefined {
  const match = /^\u2014 ([^\s+]{1,255}) ([A-Za-z0-9+/]{7,}={0,2})$/.exec(line)
  if (match === null) return undefined
  const bytes = Buffer.from(match[2] ?? '', 'base64')
  if (bytes.length <= KEY_HASH_BYTES || bytes.toString('base64') !== match[2]) return undefined
  return { name: match[1] ?? '', hash: bytes.toString('hex', 0, KEY_HASH_BYTES), signature: bytes.subarray(KEY_HASH_BYTES) }
}

function noteKey(name: string, raw: Buffer): NoteKey | undefined {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
    return { name, hash: keyHash(name, raw), publicKey }
  } catch {
    return undefined
  }
}

function keyHash(name: string, raw: Buffer): string {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), raw])).toString('hex', 0, KEY_HASH_BYTES)
}

function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

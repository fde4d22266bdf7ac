// A backup's folder, and nothing else. Generations are of format 1, or, where they are sealed, of format 2.
//
//   backup.json                     { format, directory }: whose backups these are
//   generations/NNNNNN.jsonl        a line with the head, one for each file, one with the SHA-256 of all bytes before it
//                                   sealed: a line with the head, one with all files, sealed, and the same last one
//   packs/NNNNNN-MMMM.pack          pieces of files, end to end, each sealed by itself or open: the M-th that generation N wrote
//   staging/                        copies under way, where nothing is sealed; lock: one run at a time
import { createHash } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import type { BackupHead, BackupSeal } from '../backup.ts'
import { openManifest, sealManifest } from './sealing.ts'

export const BACKUP_FORMAT = 1
export const SEALED_FORMAT = 2
export const IDENTITY_FILE = 'backup.json'
export const STAGING = 'staging'
/** Files that change in place share small pieces with the generation before; files that last are read once. */
export const PIECE_BYTES = 64 * 1024
export const LASTING_PIECE_BYTES = 1024 * 1024
export const PACK_BYTES = 256 * 1024 * 1024

/** SHA-256 (hex), pack, offset, length; hash and length are of the plain bytes. */
export type Piece = readonly [sha256: string, pack: string, at: number, bytes: number]

export interface FileEntry {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly lasting?: true
  readonly partOf?: string
  readonly pieces: readonly Piece[]
}

export interface ManifestHead extends BackupHead {
  readonly format: number
}

export interface Manifest {
  readonly head: ManifestHead
  readonly files: readonly FileEntry[]
  /** Data keys of sealed packs, by the generation that wrote them; none where nothing is sealed. */
  readonly keys: DataKeys
}

export type DataKeys = ReadonlyMap<number, Buffer>

/** What a sealed manifest tells without its key. */
export interface SealedHead extends ManifestHead {
  readonly files: number
  readonly bytes: number
  readonly packs: readonly string[]
  readonly seal: BackupSeal
}

export interface SealedManifest {
  readonly head: SealedHead
  /** The head as it stands there: it is bound in. */
  readonly text: string
  readonly sealed: string
}

export function generationName(generation: number): string {
  return `${String(generation).padStart(6, '0')}.jsonl`
}

export function generationOf(name: string): number | undefined {
  const digits = /^(\d{6,})\.jsonl$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export function packName(generation: number, number: number): string {
  return `${String(generation).padStart(6, '0')}-${String(number).padStart(4, '0')}.pack`
}

export function packGeneration(name: string): number | undefined {
  const digits = /^(\d{6,})-\d{4,}\.pack$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function encodeManifest({ head, files }: Manifest): Buffer {
  return endedWithSum([head, ...files], files.length)
}

/** `keys`: of this generation, and of all whose packs its files refer to. */
export function encodeSealedManifest({ head, files, keys }: Manifest, seal: BackupSeal): Buffer {
  const own = keys.get(head.generation)
  assert(own !== undefined, 'a sealed generation has a data key')
  const packs = [...new Set(files.flatMap(({ pieces }) => pieces.map(([, pack]) => pack)))].sort()
  const needed = new Set(packs.map(packGeneration))
  const others = [...keys].filter(([generation]) => needed.has(generation) && generation !== head.generation)
  const inner = { keys: Object.fromEntries(others.map(([generation, key]) => [generation, key.toString('base64')])) }
  const plain = Buffer.from([inner, ...files].map((line) => `${JSON.stringify(line)}\n`).join(''))
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const open: SealedHead = { ...head, files: files.length, bytes, packs, seal }
  return endedWithSum([open, { sealed: sealManifest(own, JSON.stringify(open), plain) }], files.length)
}

function endedWithSum(lines: readonly object[], files: number): Buffer {
  const body = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return Buffer.concat([body, Buffer.from(`${JSON.stringify({ files, sha256: sha256(body) })}\n`)])
}

/** The manifest, as far as it is open, or what is wrong with it. */
export function decodeManifest(bytes: Buffer): Manifest | SealedManifest | string {
  const end = bytes.lastIndexOf(10, bytes.length - 2) + 1
  try {
    const { sha256: told } = JSON.parse(bytes.toString('utf8', end)) as { readonly sha256?: unknown }
    if (told !== sha256(bytes.subarray(0, end))) return 'its SHA-256 does not hold'
    const [text = '', ...lines] = linesOf(bytes.subarray(0, end))
    const head = JSON.parse(text) as ManifestHead | SealedHead
    const files = lines.map((line) => JSON.parse(line) as unknown)
    if (!('seal' in head)) return { head, files: files as FileEntry[], keys: new Map() }
    return { head, text, sealed: (files[0] as { readonly sealed: string }).sealed }
  } catch {
    return 'it is no manifest, or was cut'
  }
}

/** A sealed manifest, or what is wrong with it. */
export function openSealedManifest({ head, text, sealed }: SealedManifest, dataKey: Buffer): Manifest | string {
  const plain = openManifest(dataKey, text, sealed)
  if (plain === undefined) return 'its seal does not hold'
  const [first = '{}', ...lines] = linesOf(plain)
  const { keys } = JSON.parse(first) as { readonly keys: Readonly<Record<string, string>> }
  const others = Object.entries(keys).map(([generation, key]) => [Number(generation), Buffer.from(key, 'base64')] as const)
  const files = lines.map((line) => JSON.parse(line) as FileEntry)
  return { head, files, keys: new Map([...others, [head.generation, dataKey]]) }
}

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** A path that stays inside the folder it is joined to. */
export function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.includes('\\') && path.split('/').every((part) => !['', '.', '..'].includes(part))
}

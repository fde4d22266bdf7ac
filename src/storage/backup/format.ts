// A backup's folder, format 1, and nothing else.
//
//   backup.json                     { format, directory }: whose backups these are
//   generations/NNNNNN.jsonl        a line with the head, one for each file, one with the SHA-256 of all bytes before it
//   packs/NNNNNN-MMMM.pack          pieces of files, end to end: the M-th that generation N wrote
//   staging/                        copies under way; lock: one run at a time
import { createHash } from 'node:crypto'
import type { BackupHead } from '../backup.ts'

export const BACKUP_FORMAT = 1
export const IDENTITY_FILE = 'backup.json'
export const STAGING = 'staging'
/** Files that change in place share small pieces with the generation before; files that last are read once. */
export const PIECE_BYTES = 64 * 1024
export const LASTING_PIECE_BYTES = 1024 * 1024
export const PACK_BYTES = 256 * 1024 * 1024

/** SHA-256 (hex), pack, offset, length. */
export type Piece = readonly [sha256: string, pack: string, at: number, bytes: number]

export interface FileEntry {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly lasting?: true
  readonly pieces: readonly Piece[]
}

export interface ManifestHead extends BackupHead {
  readonly format: number
}

export interface Manifest {
  readonly head: ManifestHead
  readonly files: readonly FileEntry[]
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
  const lines = [JSON.stringify(head), ...files.map((file) => JSON.stringify(file))].map((line) => `${line}\n`)
  const body = Buffer.from(lines.join(''))
  return Buffer.concat([body, Buffer.from(`${JSON.stringify({ files: files.length, sha256: sha256(body) })}\n`)])
}

/** The manifest, or what is wrong with it. */
export function decodeManifest(bytes: Buffer): Manifest | string {
  const end = bytes.lastIndexOf(10, bytes.length - 2) + 1
  try {
    const { sha256: told } = JSON.parse(bytes.toString('utf8', end)) as { readonly sha256?: unknown }
    if (told !== sha256(bytes.subarray(0, end))) return 'its SHA-256 does not hold'
    const [head, ...files] = bytes
      .toString('utf8', 0, end)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown)
    return { head: head as ManifestHead, files: files as FileEntry[] }
  } catch {
    return 'it is no manifest, or was cut'
  }
}

/** A path that stays inside the folder it is joined to. */
export function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.includes('\\') && path.split('/').every((part) => !['', '.', '..'].includes(part))
}

// Where the files of a data directory lie, and how a test strikes them.
import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** The n-th segment that holds frames. */
export function journalFile(folder: string, index: number): string {
  const names = readdirSync(join(folder, 'journal')).sort()
  const used = names.filter((name) => readFileSync(join(folder, 'journal', name)).readDoubleLE(16) === Number.parseInt(name))
  return join(folder, 'journal', used[index] ?? '')
}

export function blobFile(folder: string): string {
  const blobs = readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return join(blobs[0]?.parentPath ?? '', blobs[0]?.name ?? '')
}

export function chunkFile(folder: string, index: number): string {
  const names = readdirSync(join(folder, 'lake', 'chunks')).sort((a, b) => Number.parseInt(a) - Number.parseInt(b))
  return join(folder, 'lake', 'chunks', names[index] ?? '')
}

export function parquetFile(folder: string): string {
  return join(folder, 'lake', 'parquet', 'imported-0-0.parquet')
}

export function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 4
  writeFileSync(path, bytes)
}

export function flipText(path: string, text: string): void {
  const bytes = readFileSync(path)
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at + 2] = (bytes[at + 2] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

/** The value behind the key, wherever it stands. */
export function flipLast(path: string, key: string): void {
  const bytes = readFileSync(path)
  for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1)) bytes[at + key.length] = (bytes[at + key.length] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

export function overwrite(path: string, at: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, at)
  closeSync(file)
}

/** Where the root page of the newest tree stands. */
export function rootPage(path: string): number {
  const bytes = readFileSync(path)
  const [first, second] = [0, 4096].map((at) => ({
    transaction: bytes.readBigUInt64LE(at + 24 + 128),
    root: Number(bytes.readBigUInt64LE(at + 24 + 112)),
  }))
  assert.ok(first && second)
  return (first.transaction > second.transaction ? first : second).root * 4096
}

export function overflowPage(path: string): number {
  const bytes = readFileSync(path)
  for (let at = bytes.length - 4096; at > 4096; at -= 4096)
    if (bytes.readUInt16LE(at + 18) === 4 && bytes.readUInt32LE(at + 20) > 0) return at
  return rootPage(path) + 200
}

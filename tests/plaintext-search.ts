// Looks for planted texts in every file below a folder: as they are, in base64 at each of its three places, and in whatever gzip or
// zstd holds, to the end of what can be inflated.
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib'

export interface Found {
  readonly text: string
  readonly file: string
  readonly form: string
}

export function searchPlaintext(folder: string, texts: readonly string[]): Found[] {
  const found: Found[] = []
  for (const file of globSync('**/*', { cwd: folder })) {
    const path = join(folder, file)
    if (!statSync(path).isFile()) continue
    const bytes = readFileSync(path)
    for (const [form, content] of [['as it is', bytes], ...inflated(bytes)] as const)
      for (const text of texts)
        for (const [coding, needle] of needlesOf(text)) if (content.includes(needle)) found.push({ text, file, form: `${form}, ${coding}` })
  }
  return found
}

/** Base64 of a text depends on how many bytes stand before it; its ends depend on what stands around it, and are left out. */
function needlesOf(text: string): (readonly [string, string])[] {
  const bytes = Buffer.from(text)
  const coded = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return whole.slice(before === 0 ? 0 : 4, Math.floor((before + bytes.length) / 3) * 4)
  })
  return [
    ['plain', text],
    ...coded.flatMap((code) => [['base64', code] as const, ['base64url', code.replaceAll('+', '-').replaceAll('/', '_')] as const]),
  ]
}

function inflated(bytes: Buffer): (readonly [string, Buffer])[] {
  const inner: (readonly [string, Buffer])[] = []
  for (const [name, magic, inflate] of [
    ['gzip', Buffer.from([0x1f, 0x8b, 0x08]), (from: Buffer) => gunzipSync(from, { finishFlush: constants.Z_SYNC_FLUSH })],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), (from: Buffer) => zstdDecompressSync(from)],
  ] as const)
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      try {
        inner.push([`${name} at ${at}`, inflate(bytes.subarray(at))])
      } catch {
        // Bytes that only look like a beginning.
      }
    }
  return inner
}

// Where the body of an object lies, and what its parts were, as one text each where there are many: an object of ten thousand parts is
// three million characters of JSON otherwise, which whoever lists, heads or replaces it would parse into thirty thousand objects. A text
// is one value to them; only who needs the bytes takes it apart.
import type { ObjectPart, StoredBlob, StoredObject } from './bucket.ts'
import type { EncryptionContext } from './key.ts'

/** One stays as it is: most objects are of one blob, and of no parts. */
const PACKED_FROM = 2
const FORM = '1'
const NONE = '-'

/** The blobs of an object, in their order. */
export function blobsOf({ blobs }: Pick<StoredObject, 'blobs'>): readonly StoredBlob[] {
  return typeof blobs === 'string' ? unpackBlobs(blobs) : blobs
}

/** What a multipart upload put together; undefined for other objects. */
export function partsOf({ parts }: Pick<StoredObject, 'parts'>): readonly ObjectPart[] | undefined {
  return typeof parts === 'string' ? unpackParts(parts) : parts
}

/** A line of the form and the contexts, then a line for each blob: id, bytes, place, coding, and of its seal context, bytes, data key. */
export function packBlobs(blobs: readonly StoredBlob[]): readonly StoredBlob[] | string {
  if (blobs.length < PACKED_FROM) return blobs
  const contexts = new Map<string, number>()
  const lines = blobs.map(({ blobId, bytes, place = NONE, coding = NONE, seal }) => {
    if (seal === undefined) return [blobId, bytes, place, coding].join(' ')
    const context = JSON.stringify(seal.context)
    const number = contexts.get(context) ?? contexts.size
    contexts.set(context, number)
    return [blobId, bytes, place, coding, number, seal.bytes, seal.dataKey].join(' ')
  })
  return [`${FORM} [${[...contexts.keys()].join(',')}]`, ...lines].join('\n')
}

/** Throws on a form that a newer release may have written. */
function unpackBlobs(text: string): readonly StoredBlob[] {
  const [head, ...lines] = linesOf(text)
  const contexts = JSON.parse(head) as readonly EncryptionContext[]
  return lines.map((line) => {
    const [blobId = '', bytes, place, coding, context, sealedBytes, dataKey] = line.split(' ')
    return {
      blobId,
      bytes: Number(bytes),
      ...(place === 'archive' && { place }),
      ...(coding === 'zstd' && { coding }),
      ...(dataKey !== undefined && {
        seal: { form: 1 as const, dataKey, context: contexts[Number(context)] ?? {}, bytes: Number(sealedBytes) },
      }),
    }
  })
}

/** A line of the form, then a line for each part: number, bytes, and each of its checksums behind its algorithm. */
export function packParts(parts: readonly ObjectPart[]): readonly ObjectPart[] | string {
  if (parts.length < PACKED_FROM) return parts
  const lines = parts.map(({ number, bytes, checksums }) => [number, bytes, ...Object.entries(checksums).flat()].join(' '))
  return [`${FORM} []`, ...lines].join('\n')
}

function unpackParts(text: string): readonly ObjectPart[] {
  const [, ...lines] = linesOf(text)
  return lines.map((line) => {
    const [number, bytes, ...words] = line.split(' ')
    const checksums: Record<string, string> = {}
    for (let at = 0; at + 1 < words.length; at += 2) checksums[words[at] ?? ''] = words[at + 1] ?? ''
    return { number: Number(number), bytes: Number(bytes), checksums }
  })
}

function linesOf(text: string): readonly [string, ...string[]] {
  const [head = '', ...lines] = text.split('\n')
  if (!head.startsWith(`${FORM} `))
    throw new Error(`the parts of an object are packed in form ${head.split(' ', 1)[0]}: a newer release may have`)
  return [head.slice(FORM.length + 1), ...lines]
}

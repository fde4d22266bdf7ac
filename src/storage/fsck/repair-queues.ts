// The queue index begins anew where the journal begins: its replay brings back every message that the journal holds, with what happened to
// it. Only messages whose bodies were copied are older; those of them that can be read are kept.
import { open, type RootDatabase } from 'lmdb'
import { readEntryAt } from '../../model/entry.ts'
import {
  bodyKey,
  CHECKSUM_BYTES,
  CHUNK_SEQUENCES,
  encodeChunk,
  encodeHead,
  encodeTail,
  HEAD_KEY,
  isSound,
  partKey,
  readBodyKey,
  seal,
  type StoredMessage,
  TAIL_PART,
} from '../queues/format.ts'
import { BODIES_FILE } from './queues.ts'
import { readEnvironment } from './records.ts'
import type { Salvage } from './salvage.ts'
import type { Survey } from './survey.ts'

const GENERATION = 1
const BATCH_BODIES = 256

export async function repairQueues(salvage: Salvage, survey: Survey): Promise<void> {
  const { journal, queues } = survey
  const start = journal.segments.length === 0 ? Infinity : journal.start
  const kept = new Map<number, StoredMessage[]>()
  for (const [queue, messages] of queues.stored) {
    const old = messages.filter(({ position, sequence }) => position < start && queues.hasCopy(queue, sequence) && queues.waiting.get(queue)?.has(sequence))
    if (old.length > 0) kept.set(queue, old)
  }
  const isKept = (queue: number, sequence: number): boolean => kept.get(queue)?.some((message) => message.sequence === sequence) === true
  tellLosses(salvage, survey, isKept)
  const position = journal.segments.length === 0 ? queues.position ?? 0 : journal.start
  if (kept.size === 0 && position === 0) {
    copyOrphans(salvage, survey, isKept)
    return salvage.move('queues')
  }
  await writeIndex(salvage, survey, kept, position)
  await writeBodies(salvage, survey, isKept, position)
  salvage.replace('queues')
}

async function writeIndex(salvage: Salvage, { queues }: Survey, kept: ReadonlyMap<number, readonly StoredMessage[]>, position: number): Promise<void> {
  const index = openFresh(salvage, 'queues/index')
  try {
    await index.batch(() => {
      const put = (key: Buffer, value: Buffer): void => void index.put(key, seal(key, value))
      for (const queue of new Set([...queues.tails.keys(), ...kept.keys(), ...queues.firstSequences.keys()])) {
        const messages = kept.get(queue) ?? []
        const behind = Math.max(1, ...messages.map(({ sequence }) => sequence + 1))
        // An enqueue below the tail would be taken for a replay.
        const tail = queues.firstSequences.get(queue) ?? Math.max(behind, queues.tails.get(queue) ?? 1)
        put(partKey(queue, TAIL_PART, GENERATION), encodeTail(Math.max(behind, tail)))
        const chunks = Map.groupBy(messages, ({ sequence }) => Math.floor(sequence / CHUNK_SEQUENCES))
        for (const [chunk, some] of chunks) put(partKey(queue, chunk, GENERATION), encodeChunk(chunk, some))
      }
      put(HEAD_KEY, encodeHead(GENERATION, position))
    })
  } finally {
    await index.close()
  }
}

async function writeBodies(salvage: Salvage, survey: Survey, isKept: (queue: number, sequence: number) => boolean, position: number): Promise<void> {
  const bodies = openFresh(salvage, 'queues/bodies')
  try {
    let batch: { readonly key: Buffer; readonly value: Buffer }[] = []
    const flush = async (): Promise<void> => {
      const some = batch
      batch = []
      await bodies.batch(() => {
        for (const { key, value } of some) void bodies.put(key, value)
      })
    }
    for (const body of copyOrphans(salvage, survey, isKept)) {
      batch.push(body)
      if (batch.length >= BATCH_BODIES) await flush()
    }
    await flush()
    await bodies.put(HEAD_KEY, seal(HEAD_KEY, encodeHead(position, position)))
  } finally {
    await bodies.close()
  }
}

/** The copies of kept messages; the others are written down beside the report, unless their messages are known to be gone. */
function copyOrphans(salvage: Salvage, { queues }: Survey, isKept: (queue: number, sequence: number) => boolean): { readonly key: Buffer; readonly value: Buffer }[] {
  const copies: { readonly key: Buffer; readonly value: Buffer }[] = []
  const check = { ...salvage, folder: '', report: () => {}, step: async () => {} }
  for (const { key, value } of readEnvironment(check, BODIES_FILE, () => {})) {
    if (key.equals(HEAD_KEY) || !isSound(key, value)) continue
    const { queue, sequence } = readBodyKey(key)
    if (isKept(queue, sequence)) copies.push({ key: bodyKey(queue, sequence), value })
    else if (sequence < (queues.firstSequences.get(queue) ?? Infinity)) keepBody(salvage, queue, sequence, value.subarray(CHECKSUM_BYTES))
  }
  return copies
}

function keepBody(salvage: Salvage, queue: number, sequence: number, bytes: Buffer): void {
  const entry = readEntryAt(bytes)
  if (entry.kind !== 'message') return
  salvage.keep('messages-removed.ndjson', { queue, sequence, header: JSON.parse(entry.header.toString('utf8')) as unknown, body: entry.body.toString('utf8') })
}

function tellLosses(salvage: Salvage, { queues, journal }: Survey, isKept: (queue: number, sequence: number) => boolean): void {
  for (const [queue, waiting] of queues.waiting) {
    const lost = [...waiting].filter(([sequence, message]) => !isKept(queue, sequence) && !(message.position >= journal.start && queues.isReadable(queue, sequence, message, journal.start)))
    if (lost.length > 0) salvage.lost(`${lost.length} messages of queue ${queue}: ${lost.slice(0, 100).map(([sequence]) => sequence).join(', ')}${lost.length > 100 ? ', ...' : ''}`)
  }
}

function openFresh(salvage: Salvage, name: string): RootDatabase<Buffer, Buffer> {
  const folder = salvage.fresh(name)
  salvage.files.makeFolder(folder)
  return open<Buffer, Buffer>(folder, { keyEncoding: 'binary', encoding: 'binary', noSubdir: false, overlappingSync: false })
}

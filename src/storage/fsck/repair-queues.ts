// The queue index begins anew where the journal begins: its replay brings back every message that the journal holds, with what happened to
// it. Only messages whose bodies were copied are older; those of them that can be read are kept.
import { readEntryAt } from '../../model/entry.ts'
import type { Position } from '../journal.ts'
import {
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
import { bodyBound, openValue } from '../sealed-value.ts'
import { readEnvironment } from './records.ts'
import { repairedStart } from './repair-journal.ts'
import { openFreshEnvironment, quietCheck, type Salvage } from './repair.ts'
import type { Survey } from './survey.ts'

const GENERATION = 1
const BATCH_BODIES = 256
const NAMED_MAX = 100

type Kept = ReadonlyMap<number, ReadonlyMap<number, StoredMessage>>

export async function repairQueues(salvage: Salvage, survey: Survey): Promise<void> {
  const start = repairedStart(survey)
  const kept = chooseKept(survey, start)
  tellLosses(salvage, survey, kept, start)
  await writeIndex(salvage, survey, kept, start)
  await writeBodies(salvage, survey, kept, start)
  salvage.replace('queues')
}

function chooseKept({ queues }: Survey, start: Position): Kept {
  const kept = new Map<number, Map<number, StoredMessage>>()
  for (const [queue, messages] of queues.stored) {
    const old = messages.filter(({ position, sequence }) => {
      return position < start && queues.hasCopy(queue, sequence) && queues.waiting.get(queue)?.has(sequence)
    })
    if (old.length > 0) kept.set(queue, new Map(old.map((message) => [message.sequence, message])))
  }
  return kept
}

async function writeIndex(salvage: Salvage, { queues }: Survey, kept: Kept, start: Position): Promise<void> {
  const index = openFreshEnvironment(salvage, 'queues/index')
  try {
    await index.batch(() => {
      const put = (key: Buffer, value: Buffer): void => void index.put(key, seal(key, value))
      for (const queue of new Set([...queues.tails.keys(), ...kept.keys(), ...queues.firstSequences.keys()])) {
        const messages = [...(kept.get(queue)?.values() ?? [])]
        const behind = (messages.at(-1)?.sequence ?? 0) + 1
        // An enqueue below the tail would be taken for a replay.
        const tail = queues.firstSequences.get(queue) ?? queues.tails.get(queue) ?? 1
        put(partKey(queue, TAIL_PART, GENERATION), encodeTail(Math.max(behind, tail)))
        const chunks = Map.groupBy(messages, ({ sequence }) => Math.floor(sequence / CHUNK_SEQUENCES))
        for (const [chunk, some] of chunks) put(partKey(queue, chunk, GENERATION), encodeChunk(chunk, some))
      }
      // What the journal tells of again is told later, and counts.
      for (const { queue, part, value } of queues.memoryParts) put(partKey(queue, part, GENERATION), value)
      put(HEAD_KEY, encodeHead(GENERATION, start))
    })
  } finally {
    await index.close()
  }
}

async function writeBodies(salvage: Salvage, survey: Survey, kept: Kept, start: Position): Promise<void> {
  const bodies = openFreshEnvironment(salvage, 'queues/bodies')
  const write = async (copies: readonly { readonly key: Buffer; readonly value: Buffer }[]): Promise<void> => {
    await bodies.batch(() => {
      for (const { key, value } of copies) void bodies.put(key, value)
    })
  }
  try {
    let batch: { readonly key: Buffer; readonly value: Buffer }[] = []
    for (const copy of keptCopies(salvage, survey, kept)) {
      batch.push(copy)
      if (batch.length < BATCH_BODIES) continue
      await write(batch)
      batch = []
    }
    await write(batch)
    await write([{ key: HEAD_KEY, value: seal(HEAD_KEY, encodeHead(start, start)) }])
  } finally {
    await bodies.close()
  }
}

/** The copies of kept messages; what else is readable and not in the journal is written down beside the report. */
function* keptCopies(salvage: Salvage, { queues }: Survey, kept: Kept): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
  for (const { key, value } of readEnvironment(quietCheck(salvage), BODIES_FILE, () => {})) {
    if (key.equals(HEAD_KEY) || !isSound(key, value)) continue
    const { queue, sequence } = readBodyKey(key)
    if (kept.get(queue)?.has(sequence)) yield { key, value }
    else if (sequence < (queues.firstSequences.get(queue) ?? Infinity))
      keepBody(salvage, queue, sequence, openedBody(salvage, queue, sequence, value))
  }
}

function openedBody({ storeKeys }: Salvage, queue: number, sequence: number, value: Buffer): Buffer | undefined {
  const body = openValue(storeKeys('queues'), bodyBound(queue, sequence), value.subarray(CHECKSUM_BYTES))
  return Buffer.isBuffer(body) ? body : undefined
}

function keepBody(salvage: Salvage, queue: number, sequence: number, bytes: Buffer | undefined): void {
  if (bytes === undefined) return
  const entry = readEntryAt(bytes)
  if (entry.kind !== 'message') return
  const header = JSON.parse(entry.header.toString('utf8')) as unknown
  salvage.keep('messages-removed.ndjson', { queue, sequence, header, body: entry.body.toString('utf8') })
}

function tellLosses(salvage: Salvage, { queues, journal }: Survey, kept: Kept, start: Position): void {
  for (const queue of queues.forgetful) salvage.lost(`some of what queue ${queue} remembers: what is sent again may be taken for new`)
  for (const [queue, waiting] of queues.waiting) {
    const lost: number[] = []
    for (const [sequence, message] of waiting) {
      const isInJournal = message.position >= start && queues.isReadable(queue, sequence, message, journal.start)
      if (!isInJournal && !kept.get(queue)?.has(sequence)) lost.push(sequence)
    }
    const more = lost.length > NAMED_MAX ? ` and ${lost.length - NAMED_MAX} more` : ''
    if (lost.length > 0)
      salvage.lost(`${lost.length} messages of queue ${queue}, by sequence: ${lost.slice(0, NAMED_MAX).join(', ')}${more}`)
  }
}

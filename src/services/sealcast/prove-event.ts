// ProveEvent: an offline proof that one event is on the record, against a checkpoint over all that is there now.
import type { FoundLeaf } from '../../engine/tree-log.ts'
import { parseLeaf } from '../../model/tlog/event-leaf.ts'
import { formatInclusionProof } from '../../model/tlog/proof.ts'
import { sha256 } from '../../model/tlog/merkle.ts'
import { signCheckpoint } from './checkpoints.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation, SealcastParts } from './operation.ts'

export interface ProveEventInput {
  readonly EventId?: string
  /** The event's JSON, where the caller has it: as it stands in a log file. */
  readonly Event?: string
}

export interface ProveEventOutput {
  /** A C2SP tlog-proof. */
  readonly Proof: string
  /** Whether the proof holds the event itself, and not only the line that commits to it. */
  readonly HasEvent: boolean
}

const EVENT_ID = /^[0-9A-Za-z_-]{1,64}$/

export const proveEvent: SealcastOperation<ProveEventInput, ProveEventOutput> = (parts) => ({
  name: 'ProveEvent',
  access: 'read',
  record: { parameters: ({ EventId: eventId }) => ({ eventId }) },
  run(_tx, { EventId, Event }) {
    if (typeof EventId !== 'string' || !EVENT_ID.test(EventId)) throw badRequest('EventId: give the eventID of an event')
    if (Event !== undefined && typeof Event !== 'string') throw badRequest('Event: give the JSON of one event as a text')
    return { Proof: '', HasEvent: false }
  },
  answer: (_output, _call, { EventId = '', Event }) => prove(parts, EventId, Event),
})

async function prove({ tree, lake, caughtUp }: SealcastParts, eventId: string, given: string | undefined): Promise<ProveEventOutput> {
  // The event may be among the newest: the tree takes it in before it is looked for.
  const { note, size } = await signCheckpoint(tree)
  const found = await tree.find(eventId)
  if (found === undefined || found.index >= size)
    throw badRequest(`EventId: no event ${eventId} is on the record of this server`)
  const hash = parseLeaf(Buffer.from(found.line))?.hash
  const event = given === undefined ? await eventOf(eventId, found) : Buffer.from(given)
  if (given !== undefined && event !== undefined && sha256(event).toString('hex') !== hash)
    throw badRequest(
      `Event: these are not the bytes that were recorded for ${eventId}: they have another SHA-256 than the record's ${hash}`,
    )
  const proof = formatInclusionProof({
    index: found.index,
    hashes: tree.inclusion(found.index, size),
    leaf: Buffer.from(found.line),
    ...(event !== undefined && { event }),
    checkpoint: note,
  })
  return { Proof: proof.toString(), HasEvent: event !== undefined }

  /** From the lake, as long as it is kept there. */
  async function eventOf(id: string, { line }: FoundLeaf): Promise<Buffer | undefined> {
    await caughtUp()
    const result = await lake.query(`SELECT eventjson FROM events WHERE eventid = '${id}'`, { rowsMax: 10 })
    for await (const rows of result.batches)
      for (const [json] of rows) {
        const bytes = Buffer.from(String(json))
        if (line.endsWith(sha256(bytes).toString('hex'))) return bytes
      }
    return undefined
  }
}

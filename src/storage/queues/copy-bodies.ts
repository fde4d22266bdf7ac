// Copies the bodies of waiting messages out of the journal, so that its segments can go.
import type { Journal, Position } from '../journal.ts'
import { type Chunk, MessageState } from './chunk.ts'
import type { Body, ColdBodies } from './cold-bodies.ts'
import type { Queue } from './queue.ts'

const COPY_BATCH = 256
const COPIES_PER_CALL = 4096

export interface Copying {
  readonly queues: ReadonlyMap<number, Queue>
  readonly cold: ColdBodies
  readonly journal: Pick<Journal, 'readBytes'>
}

/** All living bodies before `before`, a few thousand to a call; false when there are more. */
export async function copyBodies(copying: Copying, before: Position): Promise<boolean> {
  const { queues, cold } = copying
  await cold.begin(before)
  let copies = 0
  for (const queue of [...queues.values()]) {
    for (const chunk of [...queue.chunks.values()]) {
      // A chunk that is split meanwhile goes on in another of its number.
      for (let current: Chunk | undefined = chunk; current !== undefined && current.hotPosition < before;) {
        copies += await copyChunk(copying, queue, current, before)
        const now = queue.chunks.get(chunk.number)
        current = now === current ? undefined : now
      }
      if (copies >= COPIES_PER_CALL) return false
    }
  }
  await cold.finish(before)
  return true
}

async function copyChunk({ queues, cold, journal }: Copying, queue: Queue, chunk: Chunk, before: Position): Promise<number> {
  let copies = 0
  let from = chunk.sequence(0)
  while (queue.chunks.get(chunk.number) === chunk) {
    const batch = listBodies(chunk, from, { released: cold.released, before })
    const last = batch.at(-1)
    if (last === undefined) break
    const bodies = await Promise.all(
      batch.map(async ({ sequence, position, length }): Promise<Body> => {
        return { queue: queue.number, sequence, bytes: await journal.readBytes(position, length) }
      }),
    )
    // What was removed while it was read must not be copied: its removal found no copy to take away.
    await cold.write(bodies.filter(({ sequence }) => queues.get(queue.number)?.find(sequence) !== undefined))
    copies += batch.length
    from = last.sequence + 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  chunk.hotPosition = chunk.lowestPosition(before)
  return copies
}

interface Listed {
  readonly sequence: number
  readonly position: Position
  readonly length: number
}

/** Bodies that still stand in the journal alone: from `released` on, and to go with what is before `before`. */
function listBodies(
  chunk: Chunk,
  from: number,
  { released, before }: { readonly released: Position; readonly before: Position },
): Listed[] {
  const bodies: Listed[] = []
  for (let index = chunk.seek(from); index < chunk.count && bodies.length < COPY_BATCH; index++) {
    const position = chunk.position(index)
    if (position >= before || position < released || chunk.state(index) === MessageState.gone) continue
    bodies.push({ sequence: chunk.sequence(index), position, length: chunk.length(index) })
  }
  return bodies
}

// Messages in somebody's hands: what is done with their handles, alone and in batches, and what the reference then knows.
import assert from 'node:assert/strict'
import { ServiceError } from '../../src/model/service-error.ts'
import { type Batch, SECOND } from './calls.ts'
import type { Handle, ModelMessage, ModelQueue, Reference, Shown } from './reference.ts'
import type { QueueWorld } from './world.ts'

/** Handles of the last receives are worth more to a history than old ones. */
const HANDLES_REMEMBERED = 30

export interface Held {
  readonly message: ModelMessage
  readonly handle: Handle
}

export function pickHeld(
  reference: Reference,
  queue: ModelQueue,
  { pick, count }: { readonly pick: number; readonly count: number },
): Held[] {
  const held: Held[] = []
  for (const message of reference.messages.values())
    for (const handle of message.handles) if (handle.queue === queue) held.push({ message, handle })
  const recent = held.slice(-HANDLES_REMEMBERED)
  const from = recent.length === 0 ? 0 : pick % recent.length
  return recent.slice(from, from + count)
}

export function heldOf(reference: Reference, { name, handle: text }: Shown): Held {
  const message = reference.messages.get(name)
  const handle = message?.handles.find((each) => each.text === text)
  assert.ok(message !== undefined && handle !== undefined)
  return { message, handle }
}

export async function deleteHeld(world: QueueWorld, reference: Reference, queue: ModelQueue, held: readonly Held[]): Promise<void> {
  const outcomes = await settleEach(world, 'DeleteMessage', queue, held, {})
  const now = world.now()
  for (const [at, { message, handle }] of held.entries())
    if (outcomes[at] === undefined) reference.deleted(message, handle)
    else reference.deleteRefused(message, handle, now)
}

export async function changeHeld(
  world: QueueWorld,
  reference: Reference,
  queue: ModelQueue,
  held: readonly Held[],
  visibility: number,
): Promise<void> {
  const outcomes = await settleEach(world, 'ChangeMessageVisibility', queue, held, { VisibilityTimeout: visibility })
  const now = world.now()
  // One message may stand twice in a batch: the entries count in their order, and what the first did is not there yet for the second.
  const before = new Map(held.map(({ message }): [ModelMessage, ModelMessage['places']] => [message, message.places]))
  for (const [at, { message, handle }] of held.entries()) {
    message.places = [...message.places, ...(before.get(message) ?? [])].filter((place, index, all) => all.indexOf(place) === index)
    if (outcomes[at] === undefined) reference.visibilityChanged(message, handle, now, now + visibility * SECOND)
    else reference.changeRefused(message, handle, now)
  }
}

/** The code of each refusal; undefined where it was done. */
async function settleEach(
  world: QueueWorld,
  operation: string,
  queue: ModelQueue,
  held: readonly Held[],
  more: object,
): Promise<readonly (string | undefined)[]> {
  const [first] = held
  if (first === undefined) return []
  const QueueUrl = queue.url
  if (held.length === 1) {
    const done = await world.tryCall(operation, { QueueUrl, ReceiptHandle: first.handle.text, ...more })
    return [done instanceof ServiceError ? done.code : undefined]
  }
  const Entries = held.map(({ handle }, at) => ({ Id: String(at), ReceiptHandle: handle.text, ...more }))
  const { Successful = [], Failed = [] } = await world.call<Batch<object>>(`${operation}Batch`, { QueueUrl, Entries })
  assert.equal(Successful.length + Failed.length, Entries.length, 'each entry of a batch has an outcome')
  return Entries.map(({ Id }) => Failed.find((each) => each.Id === Id)?.Code)
}

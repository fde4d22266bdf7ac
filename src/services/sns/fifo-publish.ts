// What a FIFO topic asks of a message, and a standard one of a message with a group (SNS API Reference, "Publish").
import { assert } from '../../base/assert.ts'
import type { OrderedId } from '../../engine/first-sends.ts'
import { contentDeduplicationId } from '../../model/deduplication.ts'
import type { Topic } from '../../model/topic.ts'
import { invalidParameter } from './errors.ts'

export interface PlaceInput {
  readonly MessageGroupId?: string | undefined
  readonly MessageDeduplicationId?: string | undefined
}

const TOKEN = /^[!-~]{1,128}$/

/** What shows without the topic itself. */
export function checkPlace({ MessageGroupId: groupId, MessageDeduplicationId: id }: PlaceInput, isFifo: boolean): void {
  if (isFifo && (groupId === undefined || groupId === ''))
    throw invalidParameter('The MessageGroupId parameter is required for FIFO topics')
  if (groupId !== undefined) checkToken(groupId, 'MessageGroupId')
  if (id === undefined) return
  if (!isFifo)
    throw invalidParameter(
      'MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type',
    )
  checkToken(id, 'MessageDeduplicationId')
}

export interface PlacedMessage {
  readonly body: string
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
}

/** The group of a message of a FIFO topic and under what it counts once: given, or made of its body alone. */
export function orderedIdOf({ attributes }: Topic, { body, groupId, deduplicationId }: PlacedMessage): OrderedId {
  assert(groupId !== undefined, 'what is published to a FIFO topic was checked for its group')
  if (deduplicationId !== undefined) return { groupId, deduplicationId }
  if (attributes['ContentBasedDeduplication'] === 'true') return { groupId, deduplicationId: contentDeduplicationId(body) }
  throw invalidParameter('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly')
}

function checkToken(text: string, name: string): void {
  if (!TOKEN.test(text)) throw invalidParameter(`${name} Reason: must have 1 to 128 characters, alphanumeric or punctuation`)
}

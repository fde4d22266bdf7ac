// What a FIFO queue asks of a message, and a standard one of a message with a group (SQS API Reference, "SendMessage").
import type { OrderedId } from '../../engine/first-sends.ts'
import { contentDeduplicationId } from '../../model/deduplication.ts'
import type { FifoSettings } from '../../model/fifo-attributes.ts'
import { invalidParameter, invalidValue, missingParameter, notOfThisQueueType } from './errors.ts'

export interface FifoInput {
  readonly MessageBody: string
  readonly DelaySeconds?: number
  readonly MessageDeduplicationId?: string
  readonly MessageGroupId?: string
}

export interface MessagePlace {
  readonly groupId: string | undefined
  /** In a FIFO queue: the group again, and under what the message counts once. */
  readonly ordered: OrderedId | undefined
}

const NO_ID = 'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
const NO_GROUP = 'The request must contain the parameter MessageGroupId.'

export function readPlace(input: FifoInput, fifo: FifoSettings | undefined): MessagePlace {
  const { MessageGroupId: groupId, MessageDeduplicationId: given } = input
  if (fifo === undefined) {
    if (given !== undefined) throw notOfThisQueueType(given, 'MessageDeduplicationId')
    if (groupId !== undefined) checkToken(groupId, 'MessageGroupId')
    return { groupId, ordered: undefined }
  }
  if (groupId === undefined || groupId === '') throw missingParameter('MessageGroupId')
  checkToken(groupId, 'MessageGroupId')
  if (given === undefined && !fifo.isContentBased) throw invalidParameter(NO_ID)
  if (given !== undefined) checkToken(given, 'MessageDeduplicationId')
  // Quirk: a delay of no seconds is let pass.
  if (input.DelaySeconds) throw notOfThisQueueType(input.DelaySeconds, 'DelaySeconds')
  return { groupId, ordered: { groupId, deduplicationId: given ?? contentDeduplicationId(input.MessageBody) } }
}

/** Quirk: what every entry of a batch must have fails the whole batch, and under another code than SendMessage's. */
export function checkPlaces(entries: readonly FifoInput[], fifo: FifoSettings): void {
  for (const { MessageGroupId: groupId, MessageDeduplicationId: id } of entries) {
    if (groupId === undefined || groupId === '') throw invalidParameter(NO_GROUP)
    if (id === undefined && !fifo.isContentBased) throw invalidParameter(NO_ID)
  }
}

/** Alphanumeric or punctuation, 1 to 128 characters: ids of groups, deduplication and attempts. */
export function checkToken(text: string, name: string): void {
  if (!/^[!-~]{1,128}$/.test(text))
    throw invalidValue(text, name, `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`)
}

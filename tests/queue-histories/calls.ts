// How the histories call SQS, and how they read what it answers.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Settings } from './commands.ts'
import type { ModelQueue, QueueSettings, Shown } from './reference.ts'

export const SECOND = 1000
export const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000001:'

interface ReceivedMessage {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly Body: string
  readonly MD5OfBody: string
  readonly Attributes: Readonly<Record<string, string>>
  readonly MessageAttributes: { readonly name: { readonly StringValue: string } }
}
export interface ReceiveOutput {
  readonly Messages?: readonly ReceivedMessage[]
}
export interface SendOutput {
  readonly MessageId: string
  readonly SequenceNumber?: string
}
export interface Batch<Success> {
  readonly Successful?: readonly (Success & { readonly Id: string })[]
  readonly Failed?: readonly { readonly Id: string; readonly Code: string }[]
}
export interface SettingChange {
  readonly attributes: Readonly<Record<string, string>>
  apply(settings: QueueSettings): void
}

/** `target`: where the queue's dead letters go, if it has a redrive policy. */
export function settingChange(queue: ModelQueue, given: Settings, what: keyof Settings, target: string | undefined): SettingChange {
  switch (what) {
    case 'visibility':
      return {
        attributes: { VisibilityTimeout: String(given.visibility) },
        apply: (settings) => (settings.visibilityMs = given.visibility * SECOND),
      }
    case 'retention':
      return {
        attributes: { MessageRetentionPeriod: String(given.retention) },
        apply: (settings) => (settings.retentionMs = given.retention * SECOND),
      }
    case 'delay': {
      // What a FIFO queue's change means for messages that wait is left open here.
      const delayMs = queue.isFifo ? queue.settings.delayMs : given.delay * SECOND
      return { attributes: { DelaySeconds: String(delayMs / SECOND) }, apply: (settings) => (settings.delayMs = delayMs) }
    }
    default: {
      const { receivesMax } = given
      const redrive = target === undefined || receivesMax === undefined ? undefined : { target, receivesMax }
      return {
        attributes: { RedrivePolicy: redrive === undefined ? '' : redriveText(redrive) },
        apply: (settings) => (settings.redrive = redrive),
      }
    }
  }
}

export function redriveText({ target, receivesMax }: { readonly target: string; readonly receivesMax: number }): string {
  return JSON.stringify({ deadLetterTargetArn: QUEUE_ARN + target, maxReceiveCount: receivesMax })
}

export function receiveInput(queue: ModelQueue, max: number, visibility: number | undefined): object {
  return {
    QueueUrl: queue.url,
    MaxNumberOfMessages: max,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
    ...(visibility !== undefined && { VisibilityTimeout: visibility }),
  }
}

export function shownOf({ Messages = [] }: ReceiveOutput): Shown[] {
  return Messages.map(({ ReceiptHandle, Body, MD5OfBody, Attributes, MessageAttributes }) => {
    assert.equal(MD5OfBody, createHash('md5').update(Body).digest('hex'))
    return {
      name: MessageAttributes.name.StringValue,
      body: Body,
      handle: ReceiptHandle,
      receives: Number(Attributes['ApproximateReceiveCount']),
      sentAt: Number(Attributes['SentTimestamp']),
      firstReceivedAt: Number(Attributes['ApproximateFirstReceiveTimestamp']),
      group: Attributes['MessageGroupId'],
      deduplicationId: Attributes['MessageDeduplicationId'],
      sequenceNumber: Attributes['SequenceNumber'],
      deadLetterSourceArn: Attributes['DeadLetterQueueSourceArn'],
    }
  })
}

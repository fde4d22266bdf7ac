// The attributes that FIFO queues alone have (SQS API Reference, "CreateQueue", "SetQueueAttributes"): their values, what they are where
// nobody set them, and the rules between them. A queue is FIFO from its creation on, and its name says so.

/** In AWS's order of their names, as GetQueueAttributes shows them. */
export const FIFO_DEFAULTS = {
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoQueue: 'true',
  FifoThroughputLimit: 'perQueue',
} as const
export type FifoAttributeName = keyof typeof FIFO_DEFAULTS

export interface FifoSettings {
  /** Who gives no deduplication id gives the hash of the body. */
  readonly isContentBased: boolean
  /** Within which an id counts once. */
  readonly scope: 'queue' | 'messageGroup'
  /** To what the quota of calls applies. */
  readonly throughputLimit: 'perQueue' | 'perMessageGroupId'
}

const VALUES: Readonly<Record<FifoAttributeName, readonly string[]>> = {
  ContentBasedDeduplication: ['true', 'false'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoQueue: ['true', 'false'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
}

export function isFifoAttribute(name: string): name is FifoAttributeName {
  return Object.hasOwn(FIFO_DEFAULTS, name)
}

/** Of a queue's or a topic's ARN or name. */
export function isFifoName(name: string): boolean {
  return name.endsWith('.fifo')
}

/** What AWS says of the attribute on a standard queue; it knows half of them there. */
export function strangeToStandard(name: FifoAttributeName): string {
  return name === 'DeduplicationScope' || name === 'FifoThroughputLimit'
    ? `You can specify the ${name} only when FifoQueue is set to true.`
    : `Unknown Attribute ${name}.`
}

/** Why `text` is no value of the attribute of a FIFO queue, or undefined. */
export function fifoAttributeProblem(name: FifoAttributeName, text: string): string | undefined {
  const values = VALUES[name]
  if (!values.includes(text)) return `Must be ${values.join(' or ')}.`
  return name === 'FifoQueue' && text === 'false' ? 'Modifying queue type is not supported.' : undefined
}

/** Why a FIFO queue cannot have all of these attributes at once, or undefined. */
export function fifoConflict(attributes: Readonly<Record<string, string>>): { name: FifoAttributeName; reason: string } | undefined {
  const { scope, throughputLimit } = fifoSettings(attributes)
  return throughputLimit === 'perMessageGroupId' && scope !== 'messageGroup'
    ? {
        name: 'FifoThroughputLimit',
        reason: 'To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup.',
      }
    : undefined
}

/** `attributes`: texts that were checked. */
export function fifoSettings(attributes: Readonly<Record<string, string>>): FifoSettings {
  return {
    isContentBased: attributes['ContentBasedDeduplication'] === 'true',
    scope: attributes['DeduplicationScope'] === 'messageGroup' ? 'messageGroup' : 'queue',
    throughputLimit: attributes['FifoThroughputLimit'] === 'perMessageGroupId' ? 'perMessageGroupId' : 'perQueue',
  }
}

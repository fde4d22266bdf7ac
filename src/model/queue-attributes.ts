// The attributes that an owner sets on a queue: names, ranges and defaults (SQS API Reference, SetQueueAttributes), how their texts are
// checked, and what they mean once read. Kept as texts, the way AWS shows them.
import { compilePolicy } from './access-policy/policy.ts'
import { PolicyError } from './access-policy/policy-error.ts'
import { parseArn } from './arn.ts'
import {
  FIFO_DEFAULTS,
  fifoAttributeProblem,
  type FifoAttributeName,
  fifoConflict,
  type FifoSettings,
  fifoSettings,
  isFifoAttribute,
  isFifoName,
  strangeToStandard,
} from './fifo-attributes.ts'
import { problemOfQueuePolicy } from './queue-policy.ts'
import {
  asksForBoth,
  ENCRYPTION_NAMES,
  type EncryptionName,
  encryptionOf,
  encryptionProblem,
  isEncryptionAttribute,
  ONE_ENCRYPTION,
  type QueueEncryption,
  replacedEncryption,
  shownEncryption,
} from './queue-encryption.ts'
import type { Queue } from './topic.ts'

interface NumberRange {
  readonly min: number
  readonly max: number
  readonly preset: number
}

const NUMBERS = {
  DelaySeconds: { min: 0, max: 900, preset: 0 },
  MaximumMessageSize: { min: 1024, max: 1_048_576, preset: 1_048_576 },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, preset: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, preset: 0 },
  VisibilityTimeout: { min: 0, max: 43_200, preset: 30 },
} as const satisfies Readonly<Record<string, NumberRange>>
type NumberName = keyof typeof NUMBERS

const DOCUMENTS: readonly string[] = ['Policy', 'RedrivePolicy', 'RedriveAllowPolicy']
const COUNTED: readonly string[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
]
const KEPT: readonly string[] = ['CreatedTimestamp', 'LastModifiedTimestamp', 'QueueArn']

/** What may be asked of a queue, `All` aside. */
export const QUEUE_ATTRIBUTE_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBERS),
  ...DOCUMENTS,
  ...COUNTED,
  ...KEPT,
  ...Object.keys(FIFO_DEFAULTS),
  ...ENCRYPTION_NAMES,
])

export const MAX_RECEIVE_COUNT_MAX = 1000
const SOURCE_QUEUES_MAX = 10

/** `unknown`: no such attribute; `value`: out of range; `parameter`: a document that does not hold; `overLimit`: a policy too large. */
export class QueueAttributeError extends Error {
  override readonly name = 'QueueAttributeError'
  readonly kind: 'unknown' | 'value' | 'parameter' | 'overLimit'

  constructor(kind: QueueAttributeError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Of the queue that is to have the attributes. */
export interface QueueShape {
  readonly isFifo: boolean
  /** What it has already. */
  readonly attributes: Readonly<Record<string, string>>
}

const NEW_STANDARD: QueueShape = { isFifo: false, attributes: {} }

/**
 * The texts to keep: numbers in plain digits, documents in AWS's form. An empty text for a document or a key means none: it comes back
 * empty. One kind of encryption takes the place of the other.
 * Throws QueueAttributeError. Whether a dead-letter queue exists is for the caller to find out.
 */
export function readQueueAttributes(given: Readonly<Record<string, string>>, queue = NEW_STANDARD): Record<string, string> {
  const read: Record<string, string> = {}
  for (const [name, text] of Object.entries(given))
    read[name] = isFifoAttribute(name) ? readFifoAttribute(name, text, queue) : readAttribute(name, text)
  // Quirk: under the code of an attribute that does not exist.
  if (asksForBoth(read)) throw new QueueAttributeError('unknown', ONE_ENCRYPTION)
  Object.assign(read, replacedEncryption(read))
  const conflict = queue.isFifo ? fifoConflict({ ...queue.attributes, ...read }) : undefined
  if (conflict !== undefined) throw invalidValue(conflict.name, conflict.reason)
  return read
}

function readFifoAttribute(name: FifoAttributeName, text: string, { isFifo }: QueueShape): string {
  if (!isFifo) throw new QueueAttributeError('unknown', strangeToStandard(name))
  const problem = fifoAttributeProblem(name, text)
  if (problem !== undefined) throw invalidValue(name, problem)
  return text
}

function readAttribute(name: string, text: string): string {
  if (Object.hasOwn(NUMBERS, name)) return readNumber(name as NumberName, text)
  if (isEncryptionAttribute(name)) return readEncryptionAttribute(name, text)
  switch (name) {
    case 'Policy':
      return text === '' ? '' : readPolicy(text)
    case 'RedrivePolicy':
      return text === '' ? '' : readRedrivePolicy(text)
    case 'RedriveAllowPolicy':
      return text === '' ? '' : readRedriveAllowPolicy(text)
    default:
      throw unknownAttribute(name)
  }
}

function readEncryptionAttribute(name: EncryptionName, text: string): string {
  const problem = encryptionProblem(name, text)
  if (problem !== undefined) throw invalidValue(name, problem)
  return text
}

export function unknownAttribute(name: string): QueueAttributeError {
  return new QueueAttributeError('unknown', `Unknown Attribute ${name}.`)
}

function invalidValue(name: string, reason?: string): QueueAttributeError {
  return new QueueAttributeError('value', `Invalid value for the parameter ${name}.${reason === undefined ? '' : ` Reason: ${reason}`}`)
}

function readNumber(name: NumberName, text: string): string {
  const { min, max } = NUMBERS[name]
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (value < min || value > max) throw invalidValue(name, `Must be a whole number between ${min} and ${max}.`)
  return String(value)
}

function readPolicy(text: string): string {
  try {
    const problem = problemOfQueuePolicy(text, compilePolicy(text, { kind: 'resource' }))
    if (problem !== undefined) throw new QueueAttributeError(problem.kind === 'overLimit' ? 'overLimit' : 'parameter', problem.message)
  } catch (error) {
    if (error instanceof PolicyError) throw invalidValue('Policy', `${error.message}.`)
    throw error
  }
  return text
}

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string
  readonly maxReceiveCount: number
}

function readRedrivePolicy(text: string): string {
  const refuse = (reason: string): QueueAttributeError =>
    new QueueAttributeError('parameter', `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`)
  const policy = parseObject(text)
  if (policy === undefined) throw refuse('Redrive policy is not a valid JSON map.')
  const { deadLetterTargetArn, maxReceiveCount } = policy
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount'])
    if (policy[name] === undefined) throw refuse(`Redrive policy does not contain mandatory attribute: ${name}.`)
  const unknown = Object.keys(policy).find((name) => name !== 'deadLetterTargetArn' && name !== 'maxReceiveCount')
  if (unknown !== undefined) throw refuse(`Redrive policy has the unknown attribute: ${unknown}.`)
  if (typeof deadLetterTargetArn !== 'string' || parseArn(deadLetterTargetArn)?.service !== 'sqs')
    throw refuse('Invalid value for deadLetterTargetArn.')
  // Quirk: AWS takes the count as a number or as a text, and shows a number.
  const count = typeof maxReceiveCount === 'string' && /^\d+$/.test(maxReceiveCount) ? Number(maxReceiveCount) : maxReceiveCount
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_RECEIVE_COUNT_MAX) {
    throw refuse(
      `Invalid value for maxReceiveCount: ${String(maxReceiveCount)}, valid values are from 1 to ${MAX_RECEIVE_COUNT_MAX} both inclusive.`,
    )
  }
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount: count } satisfies RedrivePolicy)
}

export interface RedriveAllowPolicy {
  readonly redrivePermission: 'allowAll' | 'denyAll' | 'byQueue'
  readonly sourceQueueArns?: readonly string[]
}

function readRedriveAllowPolicy(text: string): string {
  const refuse = (reason: string): QueueAttributeError =>
    new QueueAttributeError('parameter', `Value ${text} for parameter RedriveAllowPolicy is invalid. Reason: ${reason}`)
  const policy = parseObject(text)
  if (policy === undefined) throw refuse('Redrive allow policy is not a valid JSON map.')
  const { redrivePermission, sourceQueueArns } = policy
  if (redrivePermission !== 'allowAll' && redrivePermission !== 'denyAll' && redrivePermission !== 'byQueue')
    throw refuse('redrivePermission must be allowAll, denyAll or byQueue.')
  if (redrivePermission !== 'byQueue') {
    if (sourceQueueArns !== undefined) throw refuse('sourceQueueArns is allowed only with redrivePermission byQueue.')
    return JSON.stringify({ redrivePermission } satisfies RedriveAllowPolicy)
  }
  if (
    !Array.isArray(sourceQueueArns) ||
    sourceQueueArns.length < 1 ||
    sourceQueueArns.length > SOURCE_QUEUES_MAX ||
    !sourceQueueArns.every((arn) => typeof arn === 'string' && parseArn(arn)?.service === 'sqs')
  )
    throw refuse(`sourceQueueArns must list 1 to ${SOURCE_QUEUES_MAX} queue ARNs.`)
  return JSON.stringify({ redrivePermission, sourceQueueArns: sourceQueueArns as string[] } satisfies RedriveAllowPolicy)
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/**
 * All attributes of a queue that are texts of its owner, defaults included. `isSealedAtRest`: what the server keeps of queues is sealed as
 * a whole, which is the default of SqsManagedSseEnabled here.
 */
export function ownedAttributes(queue: Queue, isSealedAtRest: boolean): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, { preset }] of Object.entries(NUMBERS)) shown[name] = queue.attributes[name] ?? String(preset)
  if (isFifoName(queue.queueArn)) for (const [name, preset] of Object.entries(FIFO_DEFAULTS)) shown[name] = queue.attributes[name] ?? preset
  Object.assign(shown, shownEncryption(queue.attributes, isSealedAtRest))
  for (const name of DOCUMENTS) {
    const text = queue.attributes[name]
    if (text !== undefined && text !== '') shown[name] = text
  }
  return shown
}

/** A queue's attributes as they act. Read once for each version of the record. */
export interface QueueSettings {
  readonly delayMs: number
  readonly maximumMessageBytes: number
  readonly retentionMs: number
  readonly waitMs: number
  readonly visibilityMs: number
  readonly redrive: RedrivePolicy | undefined
  readonly redriveAllow: RedriveAllowPolicy
  /** Of FIFO queues alone. */
  readonly fifo: FifoSettings | undefined
  /** Undefined where messages are kept as the stores keep everything. */
  readonly encryption: QueueEncryption | undefined
}

const settings = new WeakMap<Queue, QueueSettings>()

export function settingsOf(queue: Queue): QueueSettings {
  const known = settings.get(queue)
  if (known !== undefined) return known
  const { attributes } = queue
  const read: QueueSettings = {
    delayMs: numberOf(attributes, 'DelaySeconds') * 1000,
    maximumMessageBytes: numberOf(attributes, 'MaximumMessageSize'),
    retentionMs: numberOf(attributes, 'MessageRetentionPeriod') * 1000,
    waitMs: numberOf(attributes, 'ReceiveMessageWaitTimeSeconds') * 1000,
    visibilityMs: numberOf(attributes, 'VisibilityTimeout') * 1000,
    redrive: documentOf<RedrivePolicy>(attributes, 'RedrivePolicy'),
    redriveAllow: documentOf<RedriveAllowPolicy>(attributes, 'RedriveAllowPolicy') ?? { redrivePermission: 'allowAll' },
    fifo: isFifoName(queue.queueArn) ? fifoSettings(attributes) : undefined,
    encryption: encryptionOf(attributes),
  }
  settings.set(queue, read)
  return read
}

function numberOf(attributes: Queue['attributes'], name: NumberName): number {
  const text = attributes[name]
  return text === undefined ? NUMBERS[name].preset : Number(text)
}

function documentOf<T>(attributes: Queue['attributes'], name: string): T | undefined {
  const text = attributes[name]
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as T)
}

/** Whether `source` may name the queue as its dead-letter queue. */
export function allowsRedrive({ redriveAllow }: QueueSettings, sourceArn: string): boolean {
  if (redriveAllow.redrivePermission !== 'byQueue') return redriveAllow.redrivePermission === 'allowAll'
  return redriveAllow.sourceQueueArns?.includes(sourceArn) === true
}

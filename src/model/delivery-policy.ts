// How often and when a delivery is tried again: AWS's delivery policies for HTTP endpoints (set on a topic or a subscription), their
// texts as AWS keeps and shows them, and the fixed schedules of the other protocols.

import { JsonTextError, parseLocated } from './filter-policy/located-json.ts'

export type BackoffFunction = 'linear' | 'arithmetic' | 'geometric' | 'exponential'

/** Delays in seconds, by AWS's names. The retries behind the three counted phases form the backoff phase. */
export interface RetryPolicy {
  readonly minDelayTarget: number
  readonly maxDelayTarget: number
  readonly numRetries: number
  readonly numMaxDelayRetries: number
  readonly numNoDelayRetries: number
  readonly numMinDelayRetries: number
  readonly backoffFunction: BackoffFunction
}

/** What holds for one delivery. */
export interface EffectivePolicy {
  readonly retry: RetryPolicy
  /** Undefined: as fast as it goes. */
  readonly maxReceivesPerSecond?: number
  readonly contentType?: string
}

/** The text for the caller, behind `DeliveryPolicy: `. */
export class DeliveryPolicyError extends Error {
  override name = 'DeliveryPolicyError'
}

export const DEFAULT_RETRY: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: 'linear',
}

const fixed = (noDelay: number, minDelay: number, backoff: number, maxDelay: number, min: number, max: number): EffectivePolicy => ({
  retry: {
    minDelayTarget: min,
    maxDelayTarget: max,
    numRetries: noDelay + minDelay + backoff + maxDelay,
    numMaxDelayRetries: maxDelay,
    numNoDelayRetries: noDelay,
    numMinDelayRetries: minDelay,
    backoffFunction: 'exponential',
  },
})

/** "Amazon SNS message delivery retries": endpoints that AWS manages, and those of customers other than HTTP. */
export const AWS_MANAGED = fixed(3, 2, 10, 100_000, 1, 20)
export const CUSTOMER_MANAGED = fixed(0, 2, 10, 38, 10, 600)

const DEFAULT_CONTENT_TYPE = 'text/plain; charset=UTF-8'
const DELAY_SECONDS_MAX = 3600
const RETRIES_MAX = 100
/** All retries of an HTTP delivery lie within an hour of the first attempt's end; AWS calls it a hard limit. */
const HTTP_RETRIES_MS_MAX = 3600 * 1000
const FUNCTIONS: ReadonlySet<unknown> = new Set(['linear', 'arithmetic', 'geometric', 'exponential'])
const CONTENT_TYPES: ReadonlySet<string> = new Set([
  'application/atom+xml',
  'application/json',
  'application/octet-stream',
  'application/soap+xml',
  'application/x-www-form-urlencoded',
  'application/xhtml+xml',
  'application/xml',
  'text/css',
  'text/csv',
  'text/html',
  'text/plain',
  'text/xml',
])

/** The topic's policy as it is kept: nulls dropped, `disableSubscriptionOverrides` present. Throws DeliveryPolicyError. */
export function parseTopicPolicy(text: string): string {
  return JSON.stringify({ http: readTopicPolicy(text) })
}

/** The topic's policy over the defaults, leaf by leaf, in the order of keys that AWS has. */
export function effectiveTopicPolicy(text: string | undefined): string {
  const http = text === undefined ? {} : readTopicPolicy(text)
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: { ...DEFAULT_RETRY, ...http.defaultHealthyRetryPolicy },
      disableSubscriptionOverrides: http.disableSubscriptionOverrides ?? false,
      ...(http.defaultThrottlePolicy !== undefined && { defaultThrottlePolicy: http.defaultThrottlePolicy }),
      defaultRequestPolicy: { headerContentType: DEFAULT_CONTENT_TYPE, ...http.defaultRequestPolicy },
    },
  })
}

/** The subscription's policy as it is kept and shown: every section present, absent ones null. Throws DeliveryPolicyError. */
export function parseSubscriptionPolicy(text: string): string {
  return subscriptionText(readSubscriptionPolicy(text))
}

/** The same form with retries and content type filled from the topic or the defaults. */
export function effectiveSubscriptionPolicy(text: string | undefined, topicText: string | undefined): string {
  const { retry, maxReceivesPerSecond, contentType } = effectivePolicy(text, topicText)
  return subscriptionText({
    healthyRetryPolicy: retry,
    ...(maxReceivesPerSecond !== undefined && { throttlePolicy: { maxReceivesPerSecond } }),
    requestPolicy: { headerContentType: contentType ?? DEFAULT_CONTENT_TYPE },
  })
}

/** What holds for an HTTP subscription with its policy and its topic's, both as kept. */
export function effectivePolicy(text: string | undefined, topicText: string | undefined): EffectivePolicy {
  const topic = topicText === undefined ? {} : readTopicPolicy(topicText)
  const own = text === undefined || topic.disableSubscriptionOverrides === true ? {} : readSubscriptionPolicy(text)
  return {
    retry: own.healthyRetryPolicy ?? { ...DEFAULT_RETRY, ...topic.defaultHealthyRetryPolicy },
    maxReceivesPerSecond: (own.throttlePolicy ?? topic.defaultThrottlePolicy)?.maxReceivesPerSecond,
    contentType: (own.requestPolicy ?? topic.defaultRequestPolicy)?.headerContentType,
  }
}

/** The pause in ms before retry number `retry` (1 = the first), or undefined when there is none any more. */
export function retryDelayMs(policy: RetryPolicy, retry: number): number | undefined {
  const { minDelayTarget, maxDelayTarget, numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries } = policy
  if (retry < 1 || retry > numRetries) return undefined
  if (retry <= numNoDelayRetries) return 0
  const afterFixed = retry - numNoDelayRetries - numMinDelayRetries
  if (afterFixed <= 0) return minDelayTarget * 1000
  const steps = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries
  if (afterFixed > steps) return maxDelayTarget * 1000
  return Math.round(
    1000 * (minDelayTarget + (maxDelayTarget - minDelayTarget) * growth(policy, steps === 1 ? 0 : (afterFixed - 1) / (steps - 1))),
  )
}

/** As retryDelayMs, for HTTP endpoints: what would lie beyond the hour that AWS grants is not tried. */
export function httpRetryDelayMs(policy: RetryPolicy, retry: number): number | undefined {
  let total = 0
  for (let earlier = 1; earlier < retry; earlier++) total += retryDelayMs(policy, earlier) ?? 0
  const delay = retryDelayMs(policy, retry)
  return delay === undefined || total + delay > HTTP_RETRIES_MS_MAX ? undefined : delay
}

/**
 * From 0 to 1 along the backoff phase. AWS shows the curves only as a graph: linear is straight, arithmetic grows by growing steps,
 * geometric by a constant factor, exponential latest and steepest.
 */
function growth({ backoffFunction, minDelayTarget: min, maxDelayTarget: max }: RetryPolicy, at: number): number {
  if (max === min) return 0
  switch (backoffFunction) {
    case 'linear':
      return at
    case 'arithmetic':
      return (at + at * at) / 2
    case 'geometric':
      return (min * (max / min) ** at - min) / (max - min)
    case 'exponential':
      return (2 ** (10 * at) - 1) / 1023
  }
}

interface TopicPolicy {
  readonly defaultHealthyRetryPolicy?: Partial<RetryPolicy>
  readonly disableSubscriptionOverrides?: boolean
  readonly defaultThrottlePolicy?: ThrottlePolicy
  readonly defaultRequestPolicy?: RequestPolicy
}
interface SubscriptionPolicy {
  readonly healthyRetryPolicy?: RetryPolicy
  readonly throttlePolicy?: ThrottlePolicy
  readonly requestPolicy?: RequestPolicy
}
interface ThrottlePolicy {
  readonly maxReceivesPerSecond?: number
}
interface RequestPolicy {
  readonly headerContentType?: string
}

function readTopicPolicy(text: string): TopicPolicy {
  const { http = {} } = members(parseJson(text), '', ['http'])
  const names = [
    'defaultHealthyRetryPolicy',
    'disableSubscriptionOverrides',
    'defaultThrottlePolicy',
    'defaultRequestPolicy',
    'defaultSicklyRetryPolicy',
  ] as const
  const sections = members(http, 'http', names)
  const retry = sections.defaultHealthyRetryPolicy
  const throttle = sections.defaultThrottlePolicy
  const request = sections.defaultRequestPolicy
  const override = sections.disableSubscriptionOverrides ?? false
  if (typeof override !== 'boolean') throw new DeliveryPolicyError('http.disableSubscriptionOverrides must be true or false')
  return {
    ...(retry !== undefined && { defaultHealthyRetryPolicy: readRetry(retry, 'http.defaultHealthyRetryPolicy') }),
    disableSubscriptionOverrides: override,
    ...(throttle !== undefined && { defaultThrottlePolicy: readThrottle(throttle, 'http.defaultThrottlePolicy') }),
    ...(request !== undefined && { defaultRequestPolicy: readRequest(request, 'http.defaultRequestPolicy') }),
  }
}

function readSubscriptionPolicy(text: string): SubscriptionPolicy {
  const sections = members(parseJson(text), '', [
    'healthyRetryPolicy',
    'sicklyRetryPolicy',
    'throttlePolicy',
    'requestPolicy',
    'guaranteed',
  ])
  const { healthyRetryPolicy: retry, throttlePolicy: throttle, requestPolicy: request } = sections
  return {
    ...(retry !== undefined && { healthyRetryPolicy: readWholeRetry(retry, 'healthyRetryPolicy') }),
    ...(throttle !== undefined && { throttlePolicy: readThrottle(throttle, 'throttlePolicy') }),
    ...(request !== undefined && { requestPolicy: readRequest(request, 'requestPolicy') }),
  }
}

function subscriptionText({
  healthyRetryPolicy = null,
  throttlePolicy = null,
  requestPolicy = null,
}: Nullable<SubscriptionPolicy>): string {
  return JSON.stringify({ healthyRetryPolicy, sicklyRetryPolicy: null, throttlePolicy, requestPolicy, guaranteed: false })
}
type Nullable<T> = { readonly [K in keyof T]: T[K] | null }

function readWholeRetry(value: unknown, path: string): RetryPolicy {
  const retry = readRetry(value, path)
  for (const name of ['minDelayTarget', 'maxDelayTarget', 'numRetries'] as const)
    if (retry[name] === undefined) throw new DeliveryPolicyError(`${path}.${name} must be specified`)
  return { ...DEFAULT_RETRY, ...retry }
}

/** No line breaks anywhere: the value becomes a header. */
const PARAMETER = /^ *[\w-]+=("[\w .:+-]+"|[\w.:+-]+) *$/

const LEAST: Readonly<Record<Exclude<keyof RetryPolicy, 'backoffFunction'>, number>> = {
  minDelayTarget: 1,
  maxDelayTarget: 1,
  numRetries: 0,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
}
const MOST = { minDelayTarget: DELAY_SECONDS_MAX, maxDelayTarget: DELAY_SECONDS_MAX, numRetries: RETRIES_MAX } as const

/** The leaves that are given, in the order of DEFAULT_RETRY, each checked by itself and against the others. */
function readRetry(value: unknown, path: string): Partial<RetryPolicy> {
  const given = members(value, path, Object.keys(DEFAULT_RETRY) as (keyof RetryPolicy)[])
  const retry: { -readonly [K in keyof RetryPolicy]?: RetryPolicy[K] } = {}
  for (const [name, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
    const number = given[name]
    if (number !== undefined)
      retry[name] = readInteger(number, `${path}.${name}`, least, name in MOST ? MOST[name as keyof typeof MOST] : undefined)
  }
  const curve = given.backoffFunction
  if (curve !== undefined && !isFunction(curve))
    throw new DeliveryPolicyError(`${path}.backoffFunction: the value [${String(curve)}] is not a valid backoff function`)
  if (curve !== undefined) retry.backoffFunction = curve
  const whole = { ...DEFAULT_RETRY, ...retry }
  if (whole.maxDelayTarget < whole.minDelayTarget)
    throw new DeliveryPolicyError(`${path}.maxDelayTarget must be greater than or equal to minDelayTarget`)
  if (whole.numRetries < whole.numMinDelayRetries + whole.numNoDelayRetries + whole.numMaxDelayRetries)
    throw new DeliveryPolicyError(
      `${path}.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries`,
    )
  return retry
}

function readThrottle(value: unknown, path: string): ThrottlePolicy {
  const { maxReceivesPerSecond } = members(value, path, ['maxReceivesPerSecond'])
  return maxReceivesPerSecond === undefined
    ? {}
    : { maxReceivesPerSecond: readInteger(maxReceivesPerSecond, `${path}.maxReceivesPerSecond`, 1) }
}

function readRequest(value: unknown, path: string): RequestPolicy {
  const { headerContentType } = members(value, path, ['headerContentType'])
  if (headerContentType === undefined) return {}
  const [type = '', ...parameters] = typeof headerContentType === 'string' ? headerContentType.split(';') : []
  const isKnown = CONTENT_TYPES.has(type.replaceAll(' ', '').toLowerCase()) && parameters.every((parameter) => PARAMETER.test(parameter))
  if (typeof headerContentType !== 'string' || !isKnown)
    throw new DeliveryPolicyError(`${path}.headerContentType must be one of ${[...CONTENT_TYPES].join(', ')}, with or without a charset`)
  return { headerContentType }
}

function readInteger(value: unknown, path: string, least: number, most?: number): number {
  const number = typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new DeliveryPolicyError(`${path} must be an integer`)
  if (number < least) throw new DeliveryPolicyError(`${path} must be greater than or equal to ${least}`)
  if (most !== undefined && number > most) throw new DeliveryPolicyError(`${path} must be less than or equal to ${most}`)
  return number
}

function isFunction(value: unknown): value is BackoffFunction {
  return FUNCTIONS.has(value)
}

function parseJson(text: string): unknown {
  try {
    parseLocated(text)
  } catch (error) {
    if (error instanceof JsonTextError) throw new DeliveryPolicyError(`failed to parse JSON. ${error.message}`)
    throw error
  }
  return JSON.parse(text)
}

/** The members of an object; null counts as absent, a name that is not among `names` is refused. */
function members<N extends string>(value: unknown, path: string, names: readonly N[]): { readonly [K in N]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DeliveryPolicyError(`${path === '' ? 'the policy' : path} must be a JSON object`)
  const known: ReadonlySet<string> = new Set(names)
  const found: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    if (!known.has(name)) throw new DeliveryPolicyError(`Unexpected JSON member: ${name}`)
    if (member !== null) found[name] = member
  }
  return found as { [K in N]?: unknown }
}

// What the provider `capture` of a protocol keeps instead of sending it: for tests and for people, never for long.

/** A captured message, as `sealcast inbox --json` and GET /_sealcast/inbox tell it. */
export interface CapturedMessage {
  /** Of this server; later ones are greater. */
  readonly id: number
  /** ISO 8601, in UTC. */
  readonly at: string
  /** AWS's: email, sms, lambda. */
  readonly protocol: string
  /** The subscription's endpoint: an address, a number, an ARN. */
  readonly to: string
  readonly subject?: string
  readonly body: string
  /** What else would have gone out: headers of a mail, settings of a push. */
  readonly headers?: Readonly<Record<string, string>>
  readonly messageId: string
  readonly topicArn?: string
  readonly subscriptionArn?: string
}

/** The row of one (Table.captured). */
export interface CapturedRow {
  readonly id: number
  readonly protocol: string
  /** Of the sealed text. */
  readonly bytes: number
  /** A CapturedMessage as JSON. */
  readonly sealed: string
}

export interface CapturedFilter {
  readonly to?: string
  readonly protocol?: string
  /** Only those with a greater id. */
  readonly after?: number
}

const ID_DIGITS = 15

export function capturedKey(id: number): string {
  return String(id).padStart(ID_DIGITS, '0')
}

export function capturedContext({ id }: Pick<CapturedRow, 'id'>): string {
  return `captured message ${id}`
}

/** What may be asked of the inbox, by the names that the operator's service and GET /_sealcast/inbox have for it. */
export interface InboxQuery {
  readonly filter: CapturedFilter
  readonly waitMs: number
  readonly max: number
}

const NAMES = ['to', 'protocol', 'after', 'waitSeconds', 'limit'] as const
const WAIT_SECONDS_MAX = 60
const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1000

/** The query, or what is wrong with it. Values are texts or numbers. */
export function readInboxQuery(given: Readonly<Record<string, unknown>>): InboxQuery | { readonly problem: string } {
  const unknown = Object.keys(given).find((name) => !NAMES.some((known) => known === name))
  if (unknown !== undefined) return { problem: `${unknown}: there is no such parameter; there are ${NAMES.join(', ')}` }
  const { to, protocol, after, waitSeconds = 0, limit = LIMIT_DEFAULT } = given
  for (const [name, value] of Object.entries({ to, protocol }))
    if (value !== undefined && (typeof value !== 'string' || value === '')) return { problem: `${name}: must be a text` }
  const numbers = [
    ['after', after ?? 0, 0, Number.MAX_SAFE_INTEGER, true],
    ['waitSeconds', waitSeconds, 0, WAIT_SECONDS_MAX, false],
    ['limit', limit, 1, LIMIT_MAX, true],
  ] as const
  for (const [name, value, min, max, isWhole] of numbers) {
    const number = numberOf(value)
    if (number === undefined || number < min || number > max || (isWhole && !Number.isSafeInteger(number)))
      return { problem: `${name}: must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}` }
  }
  return {
    filter: {
      ...(typeof to === 'string' && { to }),
      ...(typeof protocol === 'string' && { protocol }),
      ...(after !== undefined && { after: numberOf(after) ?? 0 }),
    },
    waitMs: Math.round((numberOf(waitSeconds) ?? 0) * 1000),
    max: numberOf(limit) ?? LIMIT_DEFAULT,
  }
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

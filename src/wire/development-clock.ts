// GET and POST /_sealcast/clock: the time of a development server, and moving it ahead.
import type { HttpRequest } from './http.ts'

export interface DevelopmentClock {
  now(): number
  aheadSeconds(): number
  move(milliseconds: number): Promise<void>
}

type Answer = { readonly status: number; readonly body: unknown }

/** Ten years: no timer and no date comes to harm by it. */
const SECONDS_MAX = 10 * 365 * 86_400
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

export function tellTime(clock: DevelopmentClock): Answer {
  return { status: 200, body: { now: new Date(clock.now()).toISOString(), aheadSeconds: clock.aheadSeconds() } }
}

/** The body is `{"seconds": N}` or `{"to": "2027-01-01T00:00:00Z"}`. */
export async function moveTime(clock: DevelopmentClock, { body }: Pick<HttpRequest, 'body'>): Promise<Answer> {
  const wanted = readMove(body, clock)
  if (typeof wanted === 'string') return { status: 400, body: { error: wanted } }
  await clock.move(wanted)
  return tellTime(clock)
}

/** Milliseconds, or what is wrong. */
function readMove(body: Buffer | undefined, clock: DevelopmentClock): number | string {
  const given = parsed(body)
  if (given === undefined) return 'the body must be one JSON object: {"seconds": 3600} or {"to": "2027-01-01T00:00:00Z"}'
  const unknown = Object.keys(given).find((name) => name !== 'seconds' && name !== 'to')
  if (unknown !== undefined) return `${unknown}: there is no such member; give seconds or to`
  const { seconds, to } = given
  if ((seconds === undefined) === (to === undefined)) return 'give one of seconds and to'
  // In all, however often it is moved.
  const secondsMax = SECONDS_MAX - clock.aheadSeconds()
  if (seconds !== undefined) {
    const isFit = typeof seconds === 'number' && seconds > 0 && seconds <= secondsMax
    return isFit ? seconds * 1000 : `seconds: must be a number above 0, at most ${secondsMax}; time only goes forward`
  }
  const time = typeof to === 'string' && ISO.test(to) ? Date.parse(to) : Number.NaN
  if (Number.isNaN(time)) return 'to: must be a time such as 2027-01-01T00:00:00Z'
  const now = clock.now()
  if (time <= now) return `to: it is ${new Date(now).toISOString()} already; time only goes forward`
  return time - now <= secondsMax * 1000 ? time - now : `to: must be at most ${secondsMax} seconds ahead`
}

function parsed(body: Buffer | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

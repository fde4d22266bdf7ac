// A message centre over SMPP 3.4: one bound connection, kept and made again, so many texts on their way at once. Long texts go in parts
// that the phone puts together; a reply that asks for no more texts is told.
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { OutboundFailed } from '../../engine/outbound-failure.ts'
import type { Outbound } from '../../engine/outbound.ts'
import { textOf } from '../../model/sms-text.ts'
import { providerFailure } from '../answers.ts'
import { Turns } from '../turns.ts'
import type { Sent, Text, TextGateway } from './gateway.ts'
import { Command, type Credentials, DataCoding, type Pdu, USER_HEADER, messageBody, readMessage } from './smpp-pdu.ts'
import { SmppSession } from './smpp-session.ts'

export interface SmppOptions {
  readonly clock: Clock
  readonly outbound: Outbound
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly credentials: Credentials
  /** A number asked for no more texts. */
  readonly optedOut: (phoneNumber: string) => Promise<void>
}

const PROVIDER = 'the SMS provider'
const ATTEMPT_MS = 15_000
/** Texts on their way at once: message centres give a window of about this. */
const WINDOW = 10
/** Between two tries of a part that is too much at the moment. */
const THROTTLE_MS = 1000
const RECONNECT_MS_MIN = 1000
const RECONNECT_MS_MAX = 60_000

const OK = 0
/** ESME_RX_T_APPN: the message centre may try again. */
const LATER = 0x64
const THROTTLED: ReadonlySet<number> = new Set([0x14, 0x58])
/** Of the text or its number, whatever we do: wrong length, command or field, no such destination, refused by their application. */
const FINAL: ReadonlySet<number> = new Set([
  ...[0x01, 0x02, 0x06, 0x07, 0x0b, 0x33, 0x34, 0x40, 0x42, 0x43, 0x44, 0x50, 0x51, 0x61, 0x62, 0x63, 0x65, 0x66],
  ...[0xc0, 0xc1, 0xc2, 0xc3, 0xc4],
])
/** "Opting out of receiving SMS messages": what AWS takes for it. */
const STOP: ReadonlySet<string> = new Set([
  'ARRET',
  'CANCEL',
  'END',
  'OPT-OUT',
  'OPTOUT',
  'QUIT',
  'REMOVE',
  'STOP',
  'STOPALL',
  'TD',
  'UNSUBSCRIBE',
])

/** The message centre does not let us in. */
class NotBound extends Error {
  readonly status: number
  constructor(status: number) {
    super('not bound')
    this.status = status
  }
}

export function createSmpp(options: SmppOptions): TextGateway {
  const { clock } = options
  const link = new SmppLink(options)
  const turns = new Turns(WINDOW)
  return {
    async send(text) {
      const deadline = new AbortController()
      const timer = clock.after(ATTEMPT_MS, () => deadline.abort())
      try {
        const done = await turns.take(deadline.signal)
        if (done === undefined) return { kind: 'retry', reason: `${PROVIDER}: too many texts are under way` }
        try {
          return await sendParts(link, text, clock, deadline.signal)
        } finally {
          done()
        }
      } catch (error) {
        if (error instanceof NotBound) {
          const reason = `${PROVIDER} does not let us in: SMPP status ${hex(error.status)}`
          return { kind: 'retry', status: error.status, reason }
        }
        return providerFailure(PROVIDER, error)
      } finally {
        timer.cancel()
      }
    },
  }
}

async function sendParts(link: SmppLink, text: Text, clock: Clock, signal: AbortSignal): Promise<Sent> {
  const bodies = bodiesOf(text)
  for (let at = 0; at < bodies.length;) {
    const body = bodies[at] ?? Buffer.alloc(0)
    const { status } = await within(signal, (await within(signal, link.session())).request(Command.submit, body))
    if (status === OK) {
      at++
      continue
    }
    const reason = `${PROVIDER} answered with SMPP status ${hex(status)}`
    if (FINAL.has(status)) return { kind: 'refused', status, reason }
    // The parts before are on their way: the rest had better follow.
    if (!THROTTLED.has(status) || at === 0) return { kind: 'retry', status, reason }
    await within(signal, new Promise<void>((resolve) => void clock.after(THROTTLE_MS, resolve)))
  }
  return { kind: 'delivered', status: OK }
}

/** Rejects when the time of the attempt is over. */
async function within<Value>(signal: AbortSignal, value: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const give = (): void => late.reject(new OutboundFailed('timeout', 'no complete answer in time'))
  late.promise.catch(() => {})
  value.catch(() => {})
  if (signal.aborted) give()
  signal.addEventListener('abort', give, { once: true })
  try {
    return await Promise.race([value, late.promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

function bodiesOf({ from = '', to, parts: { coding, parts }, type, about }: Text): readonly Buffer[] {
  const dataCoding = coding === 'ucs2' ? DataCoding.ucs2 : DataCoding.default
  const shared = { from, to, dataCoding, priority: type === 'Transactional' ? 1 : 0 }
  // The same when the text is sent again, so that the phone can put parts of both attempts together.
  const reference = createHash('sha256').update(about.messageId).digest()[0] ?? 0
  return parts.map((part, at) => {
    if (parts.length === 1) return messageBody({ ...shared, esmClass: 0, text: part })
    const header = Buffer.from([5, 0, 3, reference, parts.length, at + 1])
    return messageBody({ ...shared, esmClass: USER_HEADER, text: Buffer.concat([header, part]) })
  })
}

function hex(status: number): string {
  return `0x${status.toString(16).toUpperCase().padStart(8, '0')}`
}

/** The connection as it is now; once wanted, it is made again whenever it ends, since replies come over it too. */
class SmppLink {
  readonly #options: SmppOptions
  #session: Promise<SmppSession> | undefined
  #pauseMs = RECONNECT_MS_MIN
  #isWaiting = false

  constructor(options: SmppOptions) {
    this.#options = options
  }

  /** Rejects with OutboundFailed, OutboundRefused or NotBound. */
  session(): Promise<SmppSession> {
    if (this.#session !== undefined) return this.#session
    const opening = this.#open()
    this.#session = opening
    opening.then(
      () => (this.#pauseMs = RECONNECT_MS_MIN),
      (error: unknown) => {
        if (this.#session === opening) this.#session = undefined
        if (!(error instanceof OutboundFailed && error.reason === 'closed')) this.#openLater()
      },
    )
    return opening
  }

  async #open(): Promise<SmppSession> {
    const { clock, outbound, host, port, isTls, credentials } = this.#options
    const socket = await outbound.connect({ host, port, ...(isTls && { tls: {} }) })
    const session: SmppSession = new SmppSession({
      ...{ clock, socket },
      arrived: (pdu) => this.#arrived(pdu),
      ended: () => {
        const wasOpen = this.#session
        void wasOpen?.then(
          (current) => {
            if (current !== session) return
            if (this.#session === wasOpen) this.#session = undefined
            this.#openLater()
          },
          () => {},
        )
      },
    })
    const status = await session.bind(credentials)
    if (status === OK) return session
    session.end()
    throw new NotBound(status)
  }

  #openLater(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#options.clock.after(this.#pauseMs, () => {
      this.#isWaiting = false
      this.session().catch(() => {})
    })
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MS_MAX)
  }

  async #arrived(pdu: Pdu): Promise<number> {
    try {
      const { from, esmClass, dataCoding, text } = readMessage(pdu.body)
      const isReceipt = (esmClass & 0x3c) !== 0
      const bytes = (esmClass & USER_HEADER) === 0 ? text : text.subarray(1 + (text[0] ?? 0))
      const word = (dataCoding === DataCoding.ucs2 ? textOf('ucs2', bytes) : bytes.toString('latin1')).trim().toUpperCase()
      if (!isReceipt && STOP.has(word)) await this.#options.optedOut(from)
      return OK
    } catch {
      return LATER
    }
  }
}

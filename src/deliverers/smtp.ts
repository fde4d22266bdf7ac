// Mail over SMTP (RFC 5321): one connection for each mail, over TLS unless the operator allows otherwise, a few at once. What the server
// says of the mail itself for good ends it; everything else, our own settings included, comes again.
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { DelivererParts, Outcome } from '../engine/deliverer.ts'
import { OutboundFailed, OutboundRefused, reasonOf } from '../engine/outbound-failure.ts'
import type { SmtpProvider } from '../engine/providers.ts'
import type { Mail } from './mail.ts'
import { Turns } from './turns.ts'

export interface Smtp {
  send(mail: Mail): Promise<Outcome>
}

/** From the call on: what waits for its turn, connects and talks has to be over by then. */
const ATTEMPT_MS = 14_000
const FAREWELL_MS = 2000
const CONNECTIONS_MAX = 10
/** Beyond our own deadline, so that it alone counts. */
const LIBRARY_TIMEOUT_MS = 60_000

export function createSmtp(provider: SmtpProvider, { clock, outbound }: Pick<DelivererParts, 'clock' | 'outbound'>): Smtp {
  const turns = new Turns(CONNECTIONS_MAX)
  return {
    async send(mail) {
      const deadline = new Deadline(clock, ATTEMPT_MS)
      let release: (() => void) | undefined
      try {
        release = await turns.take(deadline.signal)
        if (release === undefined) return { kind: 'retry', reason: 'too many mails are under way' }
        const message = await composed(provider, mail)
        const socket = await outbound.connect({
          host: provider.host,
          port: provider.port,
          ...(provider.isTls && { tls: {} }),
          timeoutMs: Math.max(1, deadline.leftMs()),
        })
        deadline.ends(socket)
        try {
          return await talk(provider, { socket, mail, message, secureContext: outbound.secureContext })
        } finally {
          // What has been said ends with a word of farewell, which nobody waits for.
          clock.after(FAREWELL_MS, () => socket.destroy())
        }
      } catch (error) {
        return outcomeOf(deadline.signal.aborted ? new OutboundFailed('timeout', 'late') : error)
      } finally {
        release?.()
        deadline.over()
      }
    },
  }
}

/** Loaded with the first mail. */
async function composed({ from }: SmtpProvider, { to, id, date, fromName, subject, text, headers }: Mail): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const composer = new MailComposer({
    from: { name: fromName, address: from },
    to,
    subject,
    text,
    date: new Date(date),
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    // As they are: a link that is folded or encoded is no link.
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { prepared: true, value }])),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}

interface Talk {
  readonly socket: Socket
  readonly mail: Mail
  readonly message: Buffer
  readonly secureContext: DelivererParts['outbound']['secureContext']
}

async function talk(provider: SmtpProvider, { socket, mail, message, secureContext }: Talk): Promise<Outcome> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection')
  const { host, port, isTls, needsTls, credentials, from } = provider
  const connection = new SMTPConnection({
    host,
    port,
    connection: socket,
    secure: isTls,
    secured: isTls,
    requireTLS: needsTls,
    tls: { rejectUnauthorized: true, ...(secureContext !== undefined && { secureContext }) },
    connectionTimeout: LIBRARY_TIMEOUT_MS,
    greetingTimeout: LIBRARY_TIMEOUT_MS,
    socketTimeout: LIBRARY_TIMEOUT_MS,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
  })
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  connection.on('error', reject)
  connection.once('end', () => reject(new OutboundFailed('reset', 'the connection ended')))
  const then = (next: () => void) => (error?: Error | null) => (error === undefined || error === null ? next() : reject(error))
  const send = (): void =>
    connection.send({ from, to: [mail.to], size: message.length }, message, (error, info) =>
      error === null ? resolve({ kind: 'delivered', status: statusOf(info?.response) }) : reject(error),
    )
  const login = (): void => {
    if (credentials === undefined) send()
    else connection.login({ credentials: { user: credentials.user, pass: credentials.password } }, then(send))
  }
  connection.connect(then(login))
  try {
    const outcome = await promise
    connection.quit()
    return outcome
  } catch (error) {
    connection.close()
    socket.destroy()
    throw error
  }
}

function statusOf(response: string | undefined): number | undefined {
  const digits = /^[2-5]\d\d/.exec(response ?? '')?.[0]
  return digits === undefined ? undefined : Number(digits)
}

/** What the library throws. */
interface MailFailure {
  readonly code?: string
  /** The system's, where `code` is the library's. */
  readonly originalCode?: string
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
}

/** The server's words may hold the address: of them only the codes are told. */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof OutboundRefused) return { kind: 'retry', reason: `the mail server may not be reached: ${error.message}` }
  if (error instanceof OutboundFailed) return { kind: 'retry', reason: REASON[error.reason] }
  const { code = '', originalCode = code, command = '', response = '', responseCode } = error as MailFailure
  if (responseCode !== undefined) {
    const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
    const at = STEPS.has(command) ? command : command.startsWith('AUTH') ? 'AUTH' : 'the connection'
    const reason = `the mail server answered ${at} with ${responseCode}${enhanced === undefined ? '' : ` (${enhanced})`}`
    return { kind: isFinal(at, responseCode) ? 'refused' : 'retry', reason, status: responseCode }
  }
  // What the server said of itself (SIZE, SMTPUTF8) rules the mail out.
  if (code === 'EMESSAGE' || code === 'EENVELOPE')
    return { kind: 'refused', reason: 'the mail server does not take a mail of this size or form' }
  if (code === 'ETLS') return { kind: 'retry', reason: REASON.tls }
  if (code === 'EAUTH') return { kind: 'retry', reason: 'the mail server offers no way to authenticate that we know' }
  if (code === 'ETIMEDOUT') return { kind: 'retry', reason: REASON.timeout }
  if (code === 'EPROTOCOL') return { kind: 'retry', reason: REASON.protocol }
  return { kind: 'retry', reason: REASON[reasonOf(originalCode) ?? 'reset'] }
}

const STEPS: ReadonlySet<string> = new Set(['EHLO', 'STARTTLS', 'MAIL FROM', 'RCPT TO', 'DATA'])
const TOO_LARGE = 552

/** That the sender, the password or the whole session is not taken is our settings' fault, which somebody mends. */
function isFinal(step: string, code: number): boolean {
  if (code < 500) return false
  return step === 'RCPT TO' || step === 'DATA' || (step === 'MAIL FROM' && code === TOO_LARGE)
}

const REASON = {
  refused: 'the connection to the mail server was refused',
  reset: 'the mail server closed the connection before its answer',
  unreachable: 'the mail server is unreachable',
  dns: "the mail server's name does not resolve",
  tls: 'TLS to the mail server failed: certificate, protocol, or not offered',
  timeout: 'the mail server did not answer in time',
  protocol: 'what answered is no mail server',
  busy: 'too many connections are open already',
  closed: 'the server is stopping',
} as const satisfies Record<OutboundFailed['reason'], string>

/** One time for a whole attempt, however much of it goes by in waiting. */
class Deadline {
  readonly #clock: Clock
  readonly #at: number
  readonly #abort = new AbortController()
  readonly #timer
  #socket: Socket | undefined

  constructor(clock: Clock, milliseconds: number) {
    this.#clock = clock
    this.#at = clock.monotonic() + milliseconds
    this.#timer = clock.after(milliseconds, () => {
      this.#abort.abort()
      this.#socket?.destroy(new OutboundFailed('timeout', 'late'))
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  leftMs(): number {
    return this.#at - this.#clock.monotonic()
  }

  /** The socket ends with it. */
  ends(socket: Socket): void {
    this.#socket = socket
    if (this.#abort.signal.aborted) socket.destroy()
  }

  over(): void {
    this.#timer.cancel()
  }
}

// A real SMTP server for tests, and what its mails say: decoded here, by nothing that wrote them.
import { type AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** As it came. */
  readonly raw: string
  /** By lower-case name, decoded. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly isSecure: boolean
  readonly user: string | undefined
}

export interface MailServer {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** Resolves with the first mail that is to that address and was not taken yet; takes it. */
  next(to: string): Promise<ReceivedMail>
  close(): Promise<void>
}

/** An answer of the server that is no acceptance. */
export function answer(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode })
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const taken = new Set<ReceivedMail>()
  let arrived = Promise.withResolvers<void>()
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    ...options,
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const raw = Buffer.concat(parts).toString('utf8')
        const refuse = (failure?: Error | null): void => {
          if (failure !== undefined && failure !== null) return done(failure)
          const { mailFrom, rcptTo } = session.envelope
          const from = mailFrom === false ? '' : mailFrom.address
          mails.push({
            ...{ from, to: rcptTo.map(({ address }) => address), raw, ...decodeMail(raw) },
            ...{ isSecure: session.secure, user: session.user as string | undefined },
          })
          arrived.resolve()
          arrived = Promise.withResolvers()
          done()
        }
        if (options.onData === undefined) refuse()
        else options.onData(stream, session, refuse)
      })
    },
  })
  // Clients of these tests go without a word.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    async next(to) {
      for (;;) {
        const found = mails.find((mail) => mail.to.includes(to) && !taken.has(mail))
        if (found === undefined) await arrived.promise
        else {
          taken.add(found)
          return found
        }
      }
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

function decodeMail(raw: string): Pick<ReceivedMail, 'headers' | 'text'> {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), decodeWords(line.slice(line.indexOf(':') + 1).trim())]),
  )
  const body = raw.slice(end + 4)
  switch (headers['content-transfer-encoding']) {
    case 'base64':
      return { headers, text: Buffer.from(body, 'base64').toString('utf8') }
    case 'quoted-printable':
      return { headers, text: decodeQuoted(body.replace(/=\r\n/g, '')) }
    default:
      return { headers, text: body }
  }
}

/** RFC 2047. */
function decodeWords(text: string): string {
  return text
    .replace(/(=\?utf-8\?[bq]\?[^?]*\?=)\s+(?==\?)/gi, '$1')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString('utf8') : decodeQuoted(word.replaceAll('_', ' ')),
    )
}

function decodeQuoted(text: string): string {
  const latin1 = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

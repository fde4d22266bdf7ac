// The messages of SMPP 3.4 that a sender of texts needs, to bytes and back.
// Source: Short Message Peer to Peer Protocol Specification v3.4, sections 3 to 5.

export const Command = {
  genericNack: 0x8000_0000,
  bindTransceiver: 0x09,
  submit: 0x04,
  deliver: 0x05,
  unbind: 0x06,
  enquireLink: 0x15,
} as const

const ANSWER = 0x8000_0000
const HEADER_BYTES = 16
/** No message of ours or theirs comes near. */
const PDU_BYTES_MAX = 64 * 1024

export interface Pdu {
  readonly command: number
  readonly status: number
  readonly sequence: number
  readonly body: Buffer
}

/** What is no SMPP: the connection cannot be read any further. */
export class SmppBroken extends Error {
  override name = 'SmppBroken'
}

/** The command that answers one. */
export function answerTo(command: number): number {
  return (command | ANSWER) >>> 0
}

export function isAnswer(command: number): boolean {
  return command >= ANSWER
}

export function encodePdu({ command, status, sequence, body }: Pdu): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(HEADER_BYTES + body.length, 0)
  header.writeUInt32BE(command, 4)
  header.writeUInt32BE(status, 8)
  header.writeUInt32BE(sequence, 12)
  return Buffer.concat([header, body])
}

/** Takes bytes as they come and gives the messages that are whole. */
export class PduReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Throws SmppBroken. */
  take(bytes: Buffer): readonly Pdu[] {
    const whole: Pdu[] = []
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUInt32BE(0)
      if (length < HEADER_BYTES || length > PDU_BYTES_MAX) throw new SmppBroken(`a message of ${length} bytes`)
      if (this.#rest.length < length) break
      const pdu = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      whole.push({
        command: pdu.readUInt32BE(4),
        status: pdu.readUInt32BE(8),
        sequence: pdu.readUInt32BE(12),
        body: pdu.subarray(HEADER_BYTES),
      })
    }
    return whole
  }
}

export interface Credentials {
  readonly user: string
  readonly password: string
}

export function bindBody({ user, password }: Credentials): Buffer {
  // No system type; version 3.4; any address.
  return Buffer.concat([cText(user), cText(password), cText(''), Buffer.from([0x34, 0, 0]), cText('')])
}

export interface ShortMessage {
  readonly from: string
  readonly to: string
  /** Bits of esm_class: USER_HEADER, or what kind of message it is. */
  readonly esmClass: number
  readonly dataCoding: number
  readonly priority: number
  /** With a user header in front where esmClass says so. */
  readonly text: Buffer
}

export const USER_HEADER = 0x40
export const DataCoding = { default: 0, latin1: 3, ucs2: 8 } as const

/** submit_sm; deliver_sm is the same. */
export function messageBody({ from, to, esmClass, dataCoding, priority, text }: ShortMessage): Buffer {
  return Buffer.concat([
    cText(''),
    address(from),
    address(to),
    Buffer.from([esmClass, 0, priority]),
    // Now, for as long as they please.
    cText(''),
    cText(''),
    Buffer.from([0, 0, dataCoding, 0, text.length]),
    text,
  ])
}

/** Throws SmppBroken. */
export function readMessage(body: Buffer): ShortMessage {
  let at = 0
  const byte = (): number => {
    const value = body[at++]
    if (value === undefined) throw new SmppBroken('a message that is cut off')
    return value
  }
  const text = (): string => {
    const end = body.indexOf(0, at)
    if (end === -1) throw new SmppBroken('a text without an end')
    const value = body.toString('latin1', at, end)
    at = end + 1
    return value
  }
  const place = (): string => {
    const isInternational = byte() === TON.international
    byte()
    const value = text()
    return isInternational && /^\d+$/.test(value) ? `+${value}` : value
  }
  text()
  const [from, to] = [place(), place()]
  const [esmClass, , priority] = [byte(), byte(), byte()]
  text()
  text()
  byte()
  byte()
  const dataCoding = byte()
  byte()
  const length = byte()
  let bytes = body.subarray(at, at + length)
  if (bytes.length < length) throw new SmppBroken('a message that is cut off')
  at += length
  // message_payload: where longer texts stand.
  while (at + 4 <= body.length) {
    const [tag, size] = [body.readUInt16BE(at), body.readUInt16BE(at + 2)]
    if (tag === 0x0424) bytes = body.subarray(at + 4, at + 4 + size)
    at += 4 + size
  }
  return { from, to, esmClass, dataCoding, priority: priority ?? 0, text: bytes }
}

const TON = { unknown: 0, international: 1, networkSpecific: 3, alphanumeric: 5 } as const
const NPI = { unknown: 0, isdn: 1 } as const

/** Type and plan of numbering by the form of the address: +15550100, a short code, a name. */
function address(text: string): Buffer {
  if (/^\+\d+$/.test(text)) return Buffer.concat([Buffer.from([TON.international, NPI.isdn]), cText(text.slice(1))])
  const ton = /^\d+$/.test(text) ? (text.length <= 8 ? TON.networkSpecific : TON.unknown) : text === '' ? TON.unknown : TON.alphanumeric
  return Buffer.concat([Buffer.from([ton, NPI.unknown]), cText(text)])
}

function cText(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1')
}

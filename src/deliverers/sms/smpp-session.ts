// One bound connection to a message centre: requests and their answers by number, a look whether it still lives, and what it sends us.
// It ends once; whoever waits for an answer then is told.
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../../base/clock.ts'
import { OutboundFailed } from '../../engine/outbound-failure.ts'
import { Command, type Credentials, type Pdu, PduReader, answerTo, bindBody, encodePdu, isAnswer } from './smpp-pdu.ts'

export interface SessionParts {
  readonly clock: Clock
  readonly socket: Socket
  /** A text or a receipt arrived: the status of the answer. */
  readonly arrived: (pdu: Pdu) => Promise<number>
  readonly ended: () => void
}

const ENQUIRE_MS = 30_000
const ANSWER_MS = 15_000
const NUMBER_MAX = 0x7fff_ffff

interface Pending {
  readonly resolve: (pdu: Pdu) => void
  readonly reject: (error: Error) => void
}

export class SmppSession {
  readonly #parts: SessionParts
  readonly #pending = new Map<number, Pending>()
  #number = 0
  #enquiry: Timer | undefined
  #isOver = false

  constructor(parts: SessionParts) {
    this.#parts = parts
    const { socket } = parts
    const reader = new PduReader()
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const pdu of reader.take(bytes)) this.#read(pdu)
      } catch {
        this.end(new OutboundFailed('protocol', 'the answer was no SMPP'))
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => this.end())
    this.#enquireLater()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The status of the answer; 0: bound. */
  async bind(credentials: Credentials): Promise<number> {
    return (await this.request(Command.bindTransceiver, bindBody(credentials))).status
  }

  /** Rejects with OutboundFailed when the connection ends first, or when no answer comes in time. */
  request(command: number, body: Buffer, timeoutMs = ANSWER_MS): Promise<Pdu> {
    if (this.#isOver) return Promise.reject(new OutboundFailed('reset', 'the connection is closed'))
    const sequence = (this.#number = (this.#number % NUMBER_MAX) + 1)
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.after(timeoutMs, () => {
        reject(new OutboundFailed('timeout', `no answer within ${timeoutMs} ms`))
        // Who does not answer one request answers none.
        this.end()
      })
      const over = (): void => {
        timer.cancel()
        this.#pending.delete(sequence)
      }
      this.#pending.set(sequence, {
        resolve: (pdu) => (over(), resolve(pdu)),
        reject: (error) => (over(), reject(error)),
      })
      this.#write({ command, status: 0, sequence, body })
    })
  }

  end(error = new OutboundFailed('reset', 'the connection was closed before the answer')): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#enquiry?.cancel()
    this.#parts.socket.destroy()
    for (const { reject } of [...this.#pending.values()]) reject(error)
    this.#parts.ended()
  }

  #read(pdu: Pdu): void {
    this.#enquireLater()
    if (isAnswer(pdu.command)) return this.#pending.get(pdu.sequence)?.resolve(pdu)
    switch (pdu.command) {
      case Command.enquireLink:
        return this.#answer(pdu, 0)
      case Command.unbind:
        this.#answer(pdu, 0)
        return this.end()
      case Command.deliver:
        void this.#parts.arrived(pdu).then((status) => this.#answer(pdu, status, Buffer.alloc(1)))
        return
      default:
        // ESME_RINVCMDID
        this.#write({ command: Command.genericNack, status: 3, sequence: pdu.sequence, body: Buffer.alloc(0) })
    }
  }

  #answer({ command, sequence }: Pdu, status: number, body: Buffer = Buffer.alloc(0)): void {
    this.#write({ command: answerTo(command), status, sequence, body })
  }

  #write(pdu: Pdu): void {
    if (!this.#isOver) this.#parts.socket.write(encodePdu(pdu))
  }

  /** When nothing was heard for a while. */
  #enquireLater(): void {
    this.#enquiry?.cancel()
    if (this.#isOver) return
    this.#enquiry = this.#parts.clock.after(ENQUIRE_MS, () => {
      this.request(Command.enquireLink, Buffer.alloc(0)).catch(() => {})
    })
  }
}

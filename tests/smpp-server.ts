// A message centre that speaks SMPP 3.4 as far as a sender of texts sees it, read and written by hand from the specification. It fails as
// it is told, and can send what phones reply.
import { type Server, type Socket, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Submitted {
  readonly from: string
  readonly fromTon: number
  readonly to: string
  readonly toTon: number
  readonly esmClass: number
  readonly priority: number
  readonly dataCoding: number
  /** As it came, a user header included. */
  readonly text: Buffer
  readonly session: number
}

export type SmppFault =
  { readonly kind: 'status'; readonly status: number } | { readonly kind: 'hang' | 'reset' | 'drip' | 'garbage' | 'unbind' }

export interface SmppServer {
  readonly port: number
  readonly submitted: Submitted[]
  /** How often somebody bound, and asked whether the link lives. */
  readonly counts: { binds: number; enquiries: number }
  fault: (text: Submitted) => SmppFault | undefined
  /** Answers of the other side to what the centre sent: command status by sequence number. */
  readonly answers: Map<number, number>
  /** A message from a phone, to the newest bound session. */
  deliver(from: string, text: Buffer, options?: { readonly dataCoding?: number; readonly esmClass?: number }): number
  close(): Promise<void>
}

export async function startSmppServer({ user, password }: { readonly user: string; readonly password: string }): Promise<SmppServer> {
  const submitted: Submitted[] = []
  const sockets: Socket[] = []
  const answers = new Map<number, number>()
  const counts = { binds: 0, enquiries: 0 }
  const state: { fault: SmppServer['fault']; sequence: number } = { fault: () => undefined, sequence: 0 }

  const handle = (socket: Socket, session: number, pdu: Buffer): void => {
    const [command, status, sequence] = [pdu.readUInt32BE(4), pdu.readUInt32BE(8), pdu.readUInt32BE(12)]
    const body = new Fields(pdu.subarray(16))
    const answer = (status: number, bytes: Buffer = Buffer.alloc(0)): void =>
      void socket.write(pduOf(command + 0x80000000, status, sequence, bytes))
    switch (command) {
      case 0x09: {
        const isKnown = body.text() === user && body.text() === password
        if (isKnown) counts.binds++
        return answer(isKnown ? 0 : 0x0e, Buffer.from('centre\0'))
      }
      case 0x15:
        counts.enquiries++
        return answer(0)
      case 0x80000005:
        answers.set(sequence, status)
        return undefined
      case 0x04: {
        body.text()
        const [fromTon] = [body.byte(), body.byte()]
        const from = body.text()
        const [toTon] = [body.byte(), body.byte()]
        const to = body.text()
        const [esmClass, , priority] = [body.byte(), body.byte(), body.byte()]
        body.text()
        body.text()
        body.byte()
        body.byte()
        const dataCoding = body.byte()
        body.byte()
        const text = body.bytes(body.byte())
        const one: Submitted = { from, fromTon, to, toTon, esmClass, priority, dataCoding, text, session }
        submitted.push(one)
        const fault = state.fault(one)
        if (fault === undefined) return answer(0, Buffer.from(`id-${submitted.length}\0`))
        return fail(socket, fault, answer)
      }
      default:
        return undefined
    }
  }

  const server: Server = createServer((socket) => {
    const session = sockets.push(socket) - 1
    socket.on('error', () => {})
    let rest = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes])
      while (rest.length >= 16 && rest.length >= rest.readUInt32BE(0)) {
        const length = rest.readUInt32BE(0)
        handle(socket, session, rest.subarray(0, length))
        rest = rest.subarray(length)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ...{ port: (server.address() as AddressInfo).port, submitted, counts, answers },
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
    deliver(from, text, { dataCoding = 0, esmClass = 0 } = {}) {
      const sequence = ++state.sequence
      const numbers = [Buffer.from([0, 1, 1]), Buffer.from(`${from}\0`), Buffer.from([1, 1]), Buffer.from('15550000\0')]
      const body = Buffer.concat([...numbers, Buffer.from([esmClass, 0, 0, 0, 0, 0, 0, dataCoding, 0, text.length]), text])
      sockets.at(-1)?.write(pduOf(0x05, 0, sequence, body))
      return sequence
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function fail(socket: Socket, fault: SmppFault, answer: (status: number, bytes?: Buffer) => void): void {
  switch (fault.kind) {
    case 'status':
      return answer(fault.status)
    case 'reset':
      return void socket.resetAndDestroy()
    case 'drip':
      return void socket.write(Buffer.from([0, 0, 0]))
    case 'garbage':
      return void socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    case 'unbind':
      return void socket.write(pduOf(0x06, 0, 1, Buffer.alloc(0)))
    case 'hang':
      return undefined
  }
}

function pduOf(command: number, status: number, sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  for (const [at, value] of [16 + body.length, command, status, sequence].entries()) head.writeUInt32BE(value, at * 4)
  return Buffer.concat([head, body])
}

class Fields {
  #rest: Buffer

  constructor(bytes: Buffer) {
    this.#rest = bytes
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0
  }

  text(): string {
    const end = this.#rest.indexOf(0)
    const text = this.#rest.toString('latin1', 0, end)
    this.#rest = this.#rest.subarray(end + 1)
    return text
  }

  bytes(length: number): Buffer {
    const bytes = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return bytes
  }
}

// One kept connection of a load: a request, its whole answer, the next. Reads just enough HTTP for what the servers of a bench say.
import { type Socket, connect } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')

export class Connection {
  readonly #socket: Socket
  #pending: Buffer | undefined
  #answered: ((body: Buffer, ok: boolean) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  /** One request at a time; `answered` gets its body, and whether the status was 200. */
  send(request: Buffer | string, answered: (body: Buffer, ok: boolean) => void): void {
    this.#answered = answered
    this.#socket.write(request)
  }

  end(): void {
    this.#socket.end()
  }

  /** Ends it without a word, as a client that dies. */
  cut(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const bytes: Buffer = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk])
    this.#pending = bytes
    const end = bytes.indexOf(HEAD_END)
    if (end === -1) return
    const head = bytes.toString('latin1', 0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const bodyAt = end + HEAD_END.length
    if (bytes.length < bodyAt + length || this.#answered === undefined) return
    this.#pending = undefined
    const answered = this.#answered
    this.#answered = undefined
    answered(bytes.subarray(bodyAt, bodyAt + length), head.startsWith('HTTP/1.1 200'))
  }
}

// A request from its first byte to its answer's last, as the HTTP server holds it; and whether anybody still waits for that answer.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { assert } from '../base/assert.ts'
import type { Patience } from '../engine/operation.ts'
import type { Deadline } from './deadlines.ts'
import type { RequestHead } from './http.ts'

/** The request while its body comes. */
export interface Draft extends RequestHead {
  body: Buffer | undefined
  bodySha256: string | undefined
  stream: AsyncIterable<Uint8Array> | undefined
  patience: Patience | undefined
}

/** A request that is not answered yet. Its patience ends with the connection, and when the server closes. */
export class OpenRequest implements Patience {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: Draft
  /** Bytes of the budget for bodies that it holds. */
  held = 0
  deadline: Deadline | undefined
  /** Gives up its turn, where it waits for one. */
  takeBack: (() => void) | undefined
  isOver = false
  readonly #waiting: Set<OpenRequest>
  #over: (() => void) | undefined

  constructor(request: IncomingMessage, response: ServerResponse, head: Draft, waiting: Set<OpenRequest>) {
    this.request = request
    this.response = response
    this.head = head
    this.#waiting = waiting
  }

  onceOver(over: () => void): () => void {
    assert(this.#over === undefined && !this.isOver, 'one waits, and not for what is over')
    this.#over = over
    this.#waiting.add(this)
    return () => {
      this.#over = undefined
      this.#waiting.delete(this)
    }
  }

  end(): void {
    this.isOver = true
    const over = this.#over
    if (over === undefined) return
    this.#over = undefined
    this.#waiting.delete(this)
    over()
  }
}

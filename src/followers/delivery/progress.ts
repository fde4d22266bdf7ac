// How far the deliveries have come in the journal: frames with deliveries that nothing but the journal remembers hold the checkpoint back.
import type { Position } from '../../storage/journal.ts'

export interface OpenFrame {
  readonly position: Position
  /** Deliveries of the frame that are neither done nor recorded. */
  open: number
}

export class Progress {
  #read: Position
  #frames: OpenFrame[] = []

  constructor(from: Position) {
    this.#read = from
  }

  /** Everything before it was taken in. */
  get read(): Position {
    return this.#read
  }

  /** Where reading would have to start again. */
  get checkpoint(): Position {
    return this.#frames.find(({ open }) => open > 0)?.position ?? this.#read
  }

  begin(position: Position): OpenFrame {
    const frame = { position, open: 1 }
    this.#frames.push(frame)
    return frame
  }

  /** The frame that was begun last is taken in whole. */
  end(frame: OpenFrame, end: Position): void {
    frame.open--
    this.#read = end
    if (frame.open === 0) this.#frames.pop()
  }

  /** Forgets frames that hold nothing back any more. */
  trim(): void {
    const first = this.#frames.findIndex(({ open }) => open > 0)
    if (first === -1) this.#frames = []
    else if (first > 0) this.#frames.splice(0, first)
  }
}

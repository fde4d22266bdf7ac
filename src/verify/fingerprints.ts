// A set of many things by 64 bits of their hash, twelve bytes each: what is remembered of files and records without keeping them. Two
// different things share 64 bits once in thousands of millions of pairs of millions; what counts is decided by hashes that are whole.
import { hash } from 'node:crypto'

const FIRST_SLOTS = 1024
const LOAD = 0.7

export class Fingerprints {
  #high: Uint32Array = new Uint32Array(FIRST_SLOTS)
  #low: Uint32Array = new Uint32Array(FIRST_SLOTS)
  /** 0: free; 1: taken; 2: taken and marked. */
  #state: Uint8Array = new Uint8Array(FIRST_SLOTS)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** False when it was there already. */
  add(high: number, low: number): boolean {
    if (this.#size + 1 > this.#state.length * LOAD) this.#grow()
    const slot = this.#find(high, low)
    if (this.#state[slot] !== 0) return false
    this.#high[slot] = high
    this.#low[slot] = low
    this.#state[slot] = 1
    this.#size++
    return true
  }

  has(high: number, low: number): boolean {
    return this.#state[this.#find(high, low)] !== 0
  }

  isMarked(high: number, low: number): boolean {
    return this.#state[this.#find(high, low)] === 2
  }

  /** Marks what is there; undefined when it is not, else whether it was marked before. */
  mark(high: number, low: number): boolean | undefined {
    const slot = this.#find(high, low)
    const state = this.#state[slot]
    if (state === 0) return undefined
    this.#state[slot] = 2
    return state === 2
  }

  #find(high: number, low: number): number {
    const mask = this.#state.length - 1
    let slot = (high ^ Math.imul(low, 0x9e3779b1)) & mask
    while (this.#state[slot] !== 0 && (this.#high[slot] !== high || this.#low[slot] !== low)) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const [high, low, state] = [this.#high, this.#low, this.#state]
    const slots = state.length * 2
    this.#high = new Uint32Array(slots)
    this.#low = new Uint32Array(slots)
    this.#state = new Uint8Array(slots)
    for (let at = 0; at < state.length; at++) {
      if (state[at] === 0) continue
      const slot = this.#find(high[at] ?? 0, low[at] ?? 0)
      this.#high[slot] = high[at] ?? 0
      this.#low[slot] = low[at] ?? 0
      this.#state[slot] = state[at] ?? 0
    }
  }
}

/** Two halves of the first 64 bits of a hash in hexadecimal. */
export function halvesOf(hex: string): readonly [high: number, low: number] {
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8, 16), 16)]
}

export function halvesOfText(text: string): readonly [high: number, low: number] {
  return halvesOf(hash('sha256', text, 'hex'))
}

// Things in the order in which they came, that leave in any order. Each knows its place, so that neither costs a search; and no map is
// used, since a map that much goes through keeps what left it alive for the garbage collector.

export interface Placed {
  /** Undefined while it is not among them. Nobody else's to change. */
  place: number | undefined
}

/** Places that were left in front before they are let go of. */
const LEFT_MAX = 1024

export class ArrivalOrder<T extends Placed> {
  #items: (T | undefined)[] = []
  /** Place of the first item that is kept. */
  #base = 0
  /** Where the oldest stands in the items. */
  #oldest = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get oldest(): T | undefined {
    return this.#items[this.#oldest]
  }

  /** It MUST NOT be among them. */
  add(item: T): void {
    item.place = this.#base + this.#items.length
    this.#items.push(item)
    this.#size++
  }

  /** Whether it was among them. */
  delete(item: T): boolean {
    if (item.place === undefined) return false
    this.#items[item.place - this.#base] = undefined
    item.place = undefined
    this.#size--
    while (this.#oldest < this.#items.length && this.#items[this.#oldest] === undefined) this.#oldest++
    if (this.#oldest > LEFT_MAX && this.#oldest * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#oldest)
      this.#base += this.#oldest
      this.#oldest = 0
    }
    return true
  }

  /** Oldest first, as they are at the call. */
  values(): T[] {
    return this.#items.filter((item) => item !== undefined)
  }
}

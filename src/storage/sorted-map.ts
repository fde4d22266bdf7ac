// A map whose string keys can be read in the order of their UTF-8 bytes: hash map for the values, blocks of sorted keys for the order.
// Shared by backends that keep records in memory; a hundred thousand keys and mixed reads and writes stay cheap.

const BLOCK_KEYS_MAX = 512

export class SortedMap<V> {
  readonly #values = new Map<string, V>()
  #blocks: string[][] = []

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#insert(key)
    this.#values.set(key, value)
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false
    const at = this.#seek((other) => compareUtf8(other, key) < 0)
    const block = this.#blocks[at.block] ?? []
    block.splice(at.index, 1)
    if (block.length === 0) this.#blocks.splice(at.block, 1)
    return true
  }

  /** The first `max` keys for which `isBefore` no longer holds, ascending. `isBefore` MUST hold for a prefix of the order. */
  forward(isBefore: (key: string) => boolean, max: number): string[] {
    const keys: string[] = []
    let { block, index } = this.#seek(isBefore)
    while (block < this.#blocks.length && keys.length < max) {
      const part = (this.#blocks[block] ?? []).slice(index, index + max - keys.length)
      for (const key of part) keys.push(key)
      block++
      index = 0
    }
    return keys
  }

  /** The last `max` keys for which `isBefore` still holds, descending. */
  backward(isBefore: (key: string) => boolean, max: number): string[] {
    const keys: string[] = []
    let { block, index } = this.#seek(isBefore)
    while (keys.length < max) {
      if (index === 0) {
        if (block === 0) break
        block--
        index = this.#blocks[block]?.length ?? 0
      }
      index--
      const key = this.#blocks[block]?.[index]
      if (key !== undefined) keys.push(key)
    }
    return keys
  }

  /** The keys for which `isBefore` no longer holds and `isWithin` still does, ascending. Both MUST hold for a prefix of the order. */
  between(isBefore: (key: string) => boolean, isWithin: (key: string) => boolean): string[] {
    const from = this.#seek(isBefore)
    const to = this.#seek(isWithin)
    const keys: string[] = []
    for (let block = from.block; block <= Math.min(to.block, this.#blocks.length - 1); block++) {
      const part = (this.#blocks[block] ?? []).slice(block === from.block ? from.index : 0, block === to.block ? to.index : undefined)
      for (const key of part) keys.push(key)
    }
    return keys
  }

  #insert(key: string): void {
    const { block, index } = this.#seek((other) => compareUtf8(other, key) < 0)
    // Between two blocks the key goes to the end of the earlier one, so that ascending inserts fill blocks.
    const target = index === 0 && block > 0 ? block - 1 : block
    const keys = this.#blocks[target]
    if (keys === undefined) {
      this.#blocks.push([key])
      return
    }
    keys.splice(target === block ? index : keys.length, 0, key)
    if (keys.length <= BLOCK_KEYS_MAX) return
    // Ascending inserts leave full blocks behind; elsewhere the halves have room to grow.
    const isLast = target === this.#blocks.length - 1
    this.#blocks.splice(target + 1, 0, keys.splice(isLast ? keys.length - 1 : keys.length >> 1))
  }

  #seek(isBefore: (key: string) => boolean): { block: number; index: number } {
    const block = firstIndex(this.#blocks.length, (at) => !isBefore(this.#blocks[at]?.at(-1) ?? ''))
    const keys = this.#blocks[block]
    return { block, index: keys === undefined ? 0 : firstIndex(keys.length, (at) => !isBefore(keys[at] ?? '')) }
  }
}

/** Orders two strings as their UTF-8 bytes would be; UTF-16 code units differ from that where surrogate pairs are. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return left >= 0xd800 && right >= 0xd800 ? rank(left) - rank(right) : left - right
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

// Which of many texts a given text begins with. They are looked up by each length that occurs among them.

export class TextStarts<T> {
  readonly #byText = new Map<string, T>()
  /** How many of the texts have each length. */
  readonly #counts = new Map<number, number>()
  #lengths: readonly number[] = []

  get size(): number {
    return this.#byText.size
  }

  get(text: string): T | undefined {
    return this.#byText.get(text)
  }

  set(text: string, value: T): void {
    if (!this.#byText.has(text)) this.#count(text.length, 1)
    this.#byText.set(text, value)
  }

  delete(text: string): void {
    if (this.#byText.delete(text)) this.#count(text.length, -1)
  }

  /** Values of all texts with which `text` begins; with `fromEnd`, with which it ends. */
  visit(text: string, fromEnd: boolean, found: (value: T) => void): void {
    for (const length of this.#lengths) {
      if (length > text.length) return
      const value = this.#byText.get(fromEnd ? text.slice(text.length - length) : text.slice(0, length))
      if (value !== undefined) found(value)
    }
  }

  #count(length: number, change: number): void {
    const count = (this.#counts.get(length) ?? 0) + change
    if (count > 0) this.#counts.set(length, count)
    else this.#counts.delete(length)
    if (count === 0 || (count === 1 && change === 1)) this.#lengths = [...this.#counts.keys()].sort((a, b) => a - b)
  }
}

// One field of the index: from each pattern that rules ask of it to what is behind that pattern. A value finds all patterns that it meets
// without a look at the others, but for those that are met by their exceptions not being met.
import { type FieldValue, type Pattern, patternKey } from './pattern.ts'
import { RangeTree } from './range-tree.ts'
import { TextStarts } from './text-starts.ts'

/** A pattern that all values meet but a few: met unless each of the field's values is among the exceptions. */
interface Exclusion<B> {
  readonly pattern: Pattern
  readonly branch: B
  /** Which look counted last, and how many values it found among the exceptions. */
  look: number
  hits: number
}

/** Made as they are needed: most fields know one or two kinds of patterns. */
interface Branches<B> {
  text?: Map<string, B>
  numeral?: Map<string, B>
  literal?: Map<string, B>
  number?: Map<number, B>
  address?: Map<string, B>
  caseless?: Map<string, B>
  prefix?: TextStarts<B>
  suffix?: TextStarts<B>
  block?: TextStarts<B>
  range?: RangeTree<B>
  present?: B
  absent?: B
  exclusions?: Map<string, Exclusion<B>>
  excludedTexts?: Map<string, Exclusion<B>[]>
  excludedNumbers?: Map<number, Exclusion<B>[]>
  excludedNumerals?: Map<string, Exclusion<B>[]>
  excludedStarts?: TextStarts<Exclusion<B>>
}

export class FieldBranches<B> {
  readonly #branches: Branches<B> = {}
  #size = 0
  #looks = 0

  get size(): number {
    return this.#size
  }

  /** What is behind the field's absence. */
  get absent(): B | undefined {
    return this.#branches.absent
  }

  get(pattern: Pattern): B | undefined {
    const branches = this.#branches
    switch (pattern.kind) {
      case 'number':
        return branches.number?.get(pattern.number)
      case 'range':
        return branches.range?.get(pattern.from, pattern.to)
      case 'present':
      case 'absent':
        return branches[pattern.kind]
      case 'none-of':
      case 'no-prefix':
        return branches.exclusions?.get(patternKey(pattern))?.branch
      default:
        return branches[pattern.kind]?.get(pattern.text)
    }
  }

  /** The pattern MUST NOT have a branch yet. */
  set(pattern: Pattern, branch: B): void {
    const branches = this.#branches
    this.#size++
    switch (pattern.kind) {
      case 'prefix':
      case 'suffix':
      case 'block':
        ;(branches[pattern.kind] ??= new TextStarts()).set(pattern.text, branch)
        break
      case 'number':
        ;(branches.number ??= new Map()).set(pattern.number, branch)
        break
      case 'range':
        ;(branches.range ??= new RangeTree()).set(pattern.from, pattern.to, branch)
        break
      case 'present':
      case 'absent':
        branches[pattern.kind] = branch
        break
      case 'none-of':
      case 'no-prefix':
        this.#exclude(pattern, branch)
        break
      default:
        ;(branches[pattern.kind] ??= new Map()).set(pattern.text, branch)
    }
  }

  delete(pattern: Pattern): void {
    const branches = this.#branches
    this.#size--
    switch (pattern.kind) {
      case 'number':
        branches.number?.delete(pattern.number)
        break
      case 'range':
        branches.range?.delete(pattern.from, pattern.to)
        break
      case 'present':
      case 'absent':
        delete branches[pattern.kind]
        break
      case 'none-of':
      case 'no-prefix':
        this.#include(pattern)
        break
      default:
        branches[pattern.kind]?.delete(pattern.text)
        if (branches[pattern.kind]?.size === 0) delete branches[pattern.kind]
    }
  }

  /** What is behind the patterns that the field's values meet; the same may be found twice. */
  visit(values: readonly FieldValue[], found: (branch: B) => void): void {
    const { present, exclusions } = this.#branches
    if (present !== undefined && values.length > 0) found(present)
    const look = exclusions === undefined ? 0 : ++this.#looks
    for (const value of values) {
      this.#visitValue(value, found)
      if (exclusions !== undefined) this.#countExclusions(value, look)
    }
    if (exclusions === undefined) return
    for (const exclusion of exclusions.values())
      if (exclusion.look === look ? exclusion.hits < values.length : values.length > 0) found(exclusion.branch)
  }

  #visitValue(value: FieldValue, found: (branch: B) => void): void {
    const branches = this.#branches
    switch (value.kind) {
      case 'text': {
        const { text } = value
        offer(branches.text?.get(text), found)
        branches.prefix?.visit(text, false, found)
        branches.suffix?.visit(text, true, found)
        if (branches.caseless !== undefined) offer(branches.caseless.get(value.caseless), found)
        if (branches.address !== undefined || branches.block !== undefined) this.#visitAddress(value.address, found)
        break
      }
      case 'number':
        offer(branches.number?.get(value.number), found)
        branches.range?.visit(value.number, found)
        break
      default:
        offer(branches[value.kind]?.get(value.text), found)
    }
  }

  #visitAddress(address: string | undefined, found: (branch: B) => void): void {
    if (address === undefined) return
    offer(this.#branches.address?.get(address), found)
    this.#branches.block?.visit(address, false, found)
  }

  #exclude(pattern: Pattern, branch: B): void {
    const branches = this.#branches
    const exclusion: Exclusion<B> = { pattern, branch, look: 0, hits: 0 }
    ;(branches.exclusions ??= new Map()).set(patternKey(pattern), exclusion)
    if (pattern.kind === 'no-prefix') (branches.excludedStarts ??= new TextStarts()).set(pattern.text, exclusion)
    if (pattern.kind !== 'none-of') return
    for (const text of pattern.texts) append((branches.excludedTexts ??= new Map()), text, exclusion)
    for (const number of pattern.numbers) append((branches.excludedNumbers ??= new Map()), number, exclusion)
    for (const text of pattern.numerals) append((branches.excludedNumerals ??= new Map()), text, exclusion)
  }

  #include(pattern: Pattern): void {
    const branches = this.#branches
    const key = patternKey(pattern)
    const exclusion = branches.exclusions?.get(key)
    branches.exclusions?.delete(key)
    if (branches.exclusions?.size === 0) delete branches.exclusions
    if (pattern.kind === 'no-prefix') branches.excludedStarts?.delete(pattern.text)
    if (pattern.kind !== 'none-of' || exclusion === undefined) return
    for (const text of pattern.texts) takeOut(branches.excludedTexts, text, exclusion)
    for (const number of pattern.numbers) takeOut(branches.excludedNumbers, number, exclusion)
    for (const text of pattern.numerals) takeOut(branches.excludedNumerals, text, exclusion)
  }

  #countExclusions(value: FieldValue, look: number): void {
    const branches = this.#branches
    const hit = (exclusion: Exclusion<B>): void => {
      exclusion.hits = exclusion.look === look ? exclusion.hits + 1 : 1
      exclusion.look = look
    }
    if (value.kind === 'text') {
      branches.excludedTexts?.get(value.text)?.forEach(hit)
      branches.excludedStarts?.visit(value.text, false, hit)
    } else if (value.kind === 'number') branches.excludedNumbers?.get(value.number)?.forEach(hit)
    else if (value.kind === 'numeral') branches.excludedNumerals?.get(value.text)?.forEach(hit)
  }
}

function offer<B>(branch: B | undefined, found: (branch: B) => void): void {
  if (branch !== undefined) found(branch)
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function takeOut<K, V>(lists: Map<K, V[]> | undefined, key: K, value: V): void {
  const rest = lists?.get(key)?.filter((other) => other !== value) ?? []
  if (rest.length > 0) lists?.set(key, rest)
  else lists?.delete(key)
}

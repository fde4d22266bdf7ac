// Arrays of objects: conditions on fields of the same array have to be met within the same element of it.
import { type FieldValue, type Pattern, isMet, mayBeAbsent } from './pattern.ts'

/** Where a value stands among the arrays of a message's body: the element that holds it, within the element that holds that one. */
export class Element {
  /** One number per array. */
  readonly array: number
  /** Undefined: what is in no array. */
  readonly within: Element | undefined
  /** Greater than that of the element it is within. */
  readonly order: number
  // What follows is the account of one look at the message, written anew by each.
  look = 0
  /** Fields met by values that stand right here, and fields that have values here. */
  met = 0
  seen = 0
  /** What can be chosen from each array within. */
  choices: Map<number, Choices> | undefined

  constructor(array: number, within: Element | undefined, order: number) {
    this.array = array
    this.within = within
    this.order = order
  }
}

interface Choices {
  /** What an element meets and sees, for each choice within it that meets anything. */
  readonly outcomes: Set<number>
  /** What all elements see together: where nothing is met, none is chosen. */
  seen: number
}

/** Fields of a rule are bits here; the limits of a policy allow for eleven. */
const BITS = 12
const MET = (1 << BITS) - 1

let looks = 0

/**
 * Whether one choice of an element from each array meets every field. A field may also hold by its absence: when no value of it is left
 * in the elements chosen and in the arrays from which none was. `root` holds what is in no array.
 */
export function holdsWithinElements(
  rule: ReadonlyMap<string, readonly Pattern[]>,
  fields: ReadonlyMap<string, readonly FieldValue[]>,
  root: Element,
): boolean {
  const look = ++looks
  const touched: Element[] = []
  touch(root, look, touched)
  let bit = 1
  let dispensable = 0
  for (const [name, patterns] of rule) {
    if (mayBeAbsent(patterns)) dispensable |= bit
    for (const value of fields.get(name) ?? []) {
      const { element } = value
      touch(element, look, touched)
      element.seen |= bit
      if ((element.met & bit) === 0 && patterns.some((pattern) => isMet(pattern, value))) element.met |= bit
    }
    bit *= 2
  }
  touched.sort((a, b) => b.order - a.order)
  for (const element of touched) if (element.within !== undefined) offer(element, element.within)
  for (const outcome of outcomesOf(root)) if (((outcome & MET) | (dispensable & ~(outcome >> BITS))) === bit - 1) return true
  return false
}

/** Begins the element's account in this look, and those of the elements that it is within. */
function touch(element: Element, look: number, touched: Element[]): void {
  for (let one: Element | undefined = element; one !== undefined && one.look !== look; one = one.within) {
    one.look = look
    one.met = 0
    one.seen = 0
    one.choices = undefined
    touched.push(one)
  }
}

/** The element's outcomes become choices of the one it is within. */
function offer(element: Element, within: Element): void {
  const arrays = (within.choices ??= new Map<number, Choices>())
  let choices = arrays.get(element.array)
  if (choices === undefined) arrays.set(element.array, (choices = { outcomes: new Set(), seen: 0 }))
  if (element.choices === undefined) {
    if (element.met !== 0) choices.outcomes.add((element.seen << BITS) | element.met)
    choices.seen |= element.seen
    return
  }
  for (const outcome of outcomesOf(element)) {
    if ((outcome & MET) !== 0) choices.outcomes.add(outcome)
    choices.seen |= outcome >> BITS
  }
}

/** What each choice among the arrays within meets and sees, with what stands right here. */
function outcomesOf({ met, seen, choices }: Element): Iterable<number> {
  let outcomes: Iterable<number> = [(seen << BITS) | met]
  for (const choice of choices?.values() ?? []) {
    const next = new Set<number>()
    for (const outcome of outcomes) {
      next.add(outcome | (choice.seen << BITS))
      for (const other of choice.outcomes) next.add(outcome | other)
    }
    outcomes = next
  }
  return outcomes
}

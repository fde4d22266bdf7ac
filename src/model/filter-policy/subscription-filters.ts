// The filter policies of a topic's subscriptions: which of them a message passes. Policies come and go one by one; each is compiled once.
import type { MessageAttribute } from '../message.ts'
import { selectText } from '../notification.ts'
import { type Facts, attributeFacts, bodyFacts } from './facts.ts'
import { passes } from './match.ts'
import { mayBeAbsent } from './pattern.ts'
import { type FilterPolicy, type FilterScope, type Rule, parseFilterPolicy } from './parse-policy.ts'
import { type Rooted, RuleTree } from './rule-tree.ts'

/** What policies may look at. */
export interface FilteredMessage {
  readonly attributes?: Readonly<Record<string, MessageAttribute>> | undefined
  /** `json`: policies on the body see the text of their subscription's protocol. */
  readonly structure?: 'json' | undefined
  readonly body: string
}

/** The policy in a subscription's attributes, which were checked when they were set. Undefined: every message passes. */
export function filterPolicyOf(attributes: Readonly<Record<string, string>>): FilterPolicy | undefined {
  const policy = attributes['FilterPolicy']
  return policy === undefined ? undefined : parseFilterPolicy(policy, filterScopeOf(attributes))
}

function filterScopeOf(attributes: Readonly<Record<string, string>>): FilterScope {
  return attributes['FilterPolicyScope'] === 'MessageBody' ? 'MessageBody' : 'MessageAttributes'
}

/** Whether the message passes one policy, of a subscription with the protocol. */
export function passesFilter(policy: FilterPolicy, message: FilteredMessage, protocol: string): boolean {
  if (policy.scope === 'MessageAttributes') return passes(policy, attributeFacts(message.attributes))
  const wanted = new WantedPaths()
  for (const rule of policy.rules) wanted.add(rule)
  return passes(policy, bodyFacts(selectText(message.body, message.structure, protocol), wanted))
}

interface Entry<T> {
  readonly value: T
  readonly rooted: readonly RootedRule<T>[]
  readonly tree: RuleTree<RootedRule<T>>
  readonly protocol: string | undefined
  /** Which look found it last. */
  look: number
}

interface RootedRule<T> extends Rooted {
  entry: Entry<T> | undefined
}

export class SubscriptionFilters<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #attributes = new RuleTree<RootedRule<T>>()
  /** By protocol, since each may see a text of its own. */
  readonly #bodies = new Map<string, RuleTree<RootedRule<T>>>()
  readonly #wanted = new WantedPaths()
  #look = 0

  get size(): number {
    return this.#entries.size
  }

  /** Adds or replaces a subscription's policy. */
  set(key: string, policy: FilterPolicy, protocol: string, value: T): void {
    this.delete(key)
    const isOnBody = policy.scope === 'MessageBody'
    const tree = isOnBody ? this.#bodyTree(protocol) : this.#attributes
    const rooted = policy.rules.map((rule): RootedRule<T> => ({ rule, isLone: isLone(rule), entry: undefined }))
    const entry: Entry<T> = { value, rooted, tree, protocol: isOnBody ? protocol : undefined, look: 0 }
    for (const one of rooted) {
      one.entry = entry
      tree.add(one)
      if (isOnBody) this.#wanted.add(one.rule)
    }
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    for (const one of entry.rooted) {
      entry.tree.remove(one)
      if (entry.protocol !== undefined) this.#wanted.remove(one.rule)
    }
    if (entry.protocol !== undefined && entry.tree.isEmpty) this.#bodies.delete(entry.protocol)
  }

  /** The values of all subscriptions whose policies the message passes, in no order. */
  match(message: FilteredMessage): T[] {
    const look = ++this.#look
    const values: T[] = []
    const found = ({ entry }: RootedRule<T>): void => {
      if (entry === undefined || entry.look === look) return
      entry.look = look
      values.push(entry.value)
    }
    if (!this.#attributes.isEmpty) this.#attributes.visit(attributeFacts(message.attributes), look, found)
    if (this.#bodies.size > 0) this.#matchBodies(message, look, found)
    return values
  }

  #matchBodies(message: FilteredMessage, look: number, found: (rooted: RootedRule<T>) => void): void {
    // Many protocols may see one text.
    const known = new Map<string, Facts | undefined>()
    for (const [protocol, tree] of this.#bodies) {
      const text = selectText(message.body, message.structure, protocol)
      if (!known.has(text)) known.set(text, bodyFacts(text, this.#wanted))
      const facts = known.get(text)
      if (facts !== undefined) tree.visit(facts, look, found)
    }
  }

  #bodyTree(protocol: string): RuleTree<RootedRule<T>> {
    let tree = this.#bodies.get(protocol)
    if (tree === undefined) this.#bodies.set(protocol, (tree = new RuleTree()))
    return tree
  }
}

function isLone(rule: Rule): boolean {
  return rule.size === 1 && ![...rule.values()].some(mayBeAbsent)
}

/** The paths that rules ask for, and those that lead there. */
class WantedPaths {
  readonly #counts = new Map<string, number>()

  has(path: string): boolean {
    return this.#counts.has(path)
  }

  add(rule: Rule): void {
    for (const path of pathsOf(rule)) this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
  }

  remove(rule: Rule): void {
    for (const path of pathsOf(rule)) {
      const count = (this.#counts.get(path) ?? 0) - 1
      if (count > 0) this.#counts.set(path, count)
      else this.#counts.delete(path)
    }
  }
}

function* pathsOf(rule: Rule): Generator<string> {
  for (const name of rule.keys()) {
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) yield name.slice(0, dot)
    yield name
  }
}

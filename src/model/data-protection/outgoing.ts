// Statements on outgoing messages: what each subscriber gets of one message. All who are to get the same text share one copy.
import { type Audience, audienceKey, heldStatements, type Subscriber } from './audience.ts'
import { deidentified } from './deidentify.ts'
import type { ProtectionStatement } from './policy.ts'
import type { Findings } from './scan.ts'
import { bodyOf, type MessageTexts, textNameFor, textNamesFor } from './texts.ts'

export interface Outgoing {
  /** Principals of the statements that have an effect on the message. */
  readonly statements: Audience['statements']
  /** Keys of those who get the message as it was published, and of those who must not get it. */
  readonly gets: readonly string[]
  readonly denied: readonly string[]
  readonly copies: readonly { readonly body: string; readonly gets: readonly string[] }[]
}

/** By name of the text. */
export type TextFindings = ReadonlyMap<string | undefined, Findings>

const SUBSCRIBERS_PER_STEP = 256

/**
 * Undefined where everybody gets the message as it is. `texts`: those that `subscribers` get; `findings`: in them. A generator that is
 * asked again until it is done.
 */
export function* protectOutgoing(
  policy: readonly ProtectionStatement[],
  texts: MessageTexts,
  findings: TextFindings,
  subscribers: readonly Subscriber[],
): Generator<undefined, Outgoing | undefined, undefined> {
  const effective = policy.filter(
    ({ direction, operation, identifiers }) =>
      direction === 'outbound' && operation.kind !== 'audit' && [...findings.values()].some((found) => hasFound(found, identifiers)),
  )
  if (effective.length === 0) return undefined
  const statements = effective.map(({ principals }) => principals)
  const gets: string[] = []
  const denied: string[] = []
  const copies = new Map<string, string[]>()
  /** By the statements that made them. */
  const changed = new Map<string, MessageTexts>()
  for (const [key, { held, names }] of yield* audiencesOf(statements, subscribers)) {
    const name = textNameFor(texts, names)
    const found = findings.get(name)
    const holding = held.flatMap((at) => effective[at] ?? [])
    const finding = holding.filter(({ identifiers }) => found !== undefined && hasFound(found, identifiers))
    if (finding.length === 0) gets.push(key)
    else if (finding.some(({ operation }) => operation.kind === 'deny')) denied.push(key)
    else {
      let result = changed.get(held.join())
      if (result === undefined) changed.set(held.join(), (result = yield* deidentifiedTexts(texts, findings, holding)))
      const body = bodyOf(result)
      // A message without a text is none.
      if (result.get(name) === '') denied.push(key)
      else copies.set(body, [...(copies.get(body) ?? []), key])
    }
  }
  if (denied.length === 0 && copies.size === 0) return undefined
  return { statements, gets, denied, copies: [...copies].map(([body, keys]) => ({ body, gets: keys })) }
}

/** The texts without what the statements that de-identify name. */
export function* deidentifiedTexts(
  texts: MessageTexts,
  findings: TextFindings,
  statements: readonly ProtectionStatement[],
): Generator<undefined, MessageTexts, undefined> {
  const rules = statements.flatMap(({ operation, identifiers }) =>
    operation.kind === 'deidentify' ? [{ maskWith: operation.maskWith, identifiers }] : [],
  )
  const changed = new Map<string | undefined, string>()
  for (const [name, text] of texts) changed.set(name, yield* deidentified(text, findings.get(name) ?? NOTHING, rules))
  return changed
}

const NOTHING: Findings = new Map()

function hasFound(found: Findings, identifiers: ReadonlySet<string>): boolean {
  for (const identifier of found.keys()) if (identifiers.has(identifier)) return true
  return false
}

/** Those who differ in which statements hold for them, or in the text that they get. */
function* audiencesOf(
  statements: Audience['statements'],
  subscribers: readonly Subscriber[],
): Generator<undefined, ReadonlyMap<string, { readonly held: readonly number[]; readonly names: string }>, undefined> {
  const audiences = new Map<string, { readonly held: readonly number[]; readonly names: string }>()
  for (const [at, subscriber] of subscribers.entries()) {
    if (at % SUBSCRIBERS_PER_STEP === SUBSCRIBERS_PER_STEP - 1) yield
    const held = heldStatements(statements, subscriber)
    audiences.set(audienceKey(held, subscriber), { held, names: textNamesFor(subscriber) })
  }
  return audiences
}

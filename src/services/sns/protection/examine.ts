// What a topic's data protection policy makes of one message: whether its publisher may send it, the text that is taken, what each
// subscriber gets of it, and what is audited. In small steps, and before anything is decided: nothing here changes anything.
import { heldStatements, type Subscriber } from '../../../model/data-protection/audience.ts'
import { deidentifiedTexts, type Outgoing, protectOutgoing, type TextFindings } from '../../../model/data-protection/outgoing.ts'
import type { DataProtectionPolicy, ProtectionStatement } from '../../../model/data-protection/policy.ts'
import { isNamed } from '../../../model/data-protection/principals.ts'
import { type Finder, type Findings, scanText } from '../../../model/data-protection/scan.ts'
import { bodyOf, type MessageTexts, type StructuredBody, textNameFor, textNamesFor, textsOf } from '../../../model/data-protection/texts.ts'
import type { Principal } from '../../../model/principal.ts'
import { ServiceError } from '../../../model/service-error.ts'

export interface Examined {
  /** The message is not taken. */
  readonly refusal?: ServiceError
  /** As it is taken. */
  readonly body: string
  /** Undefined: everybody gets it as it is taken. */
  readonly outgoing?: Outgoing | undefined
  readonly audits: readonly Audit[]
}

/** What there is to tell of a statement's principals: identifiers and how often, nothing of what was said. */
export interface Audit {
  readonly statement: ProtectionStatement
  readonly counts: readonly { readonly name: string; readonly count: number }[]
}

/** `publisher`: whose message it is; `subscribers`: those who are there, one of each kind. Asked again until it is done. */
export function* examine(
  publisher: Principal,
  policy: DataProtectionPolicy,
  subscribers: readonly Subscriber[],
  message: StructuredBody,
): Generator<undefined, Examined, undefined> {
  const { statements, finders } = policy
  const inbound = statements.filter(
    ({ direction, principals }) => direction === 'inbound' && principals.some((one) => isNamed(publisher, one)),
  )
  const texts = textsOf(message)
  const findings = yield* scanTexts(texts, findersFor(finders, inbound))
  const denied = inbound.filter(({ operation, identifiers }) => operation.kind === 'deny' && countsOf(findings, identifiers).length > 0)
  if (denied.length > 0) return refused(message, denial(findings, new Set(denied.flatMap(({ identifiers }) => [...identifiers]))))
  const deidentifies = inbound.some(({ operation }) => operation.kind === 'deidentify')
  const taken = deidentifies ? yield* deidentifiedTexts(texts, findings, inbound) : texts
  if ([...taken].some(([name, text]) => text === '' && texts.get(name) !== '')) return refused(message, nothingLeft())
  // Also where nothing was found: what is beside the texts of a structure has not been looked at, and goes nowhere.
  const body = deidentifies ? bodyOf(taken) : message.body
  const audits = inbound.map((statement) => ({ statement, counts: countsOf(findings, statement.identifiers) })).filter(isAudit)
  const reach = yield* reachOf(policy, subscribers)
  if (reach.size === 0) return { body, audits }
  const namesFrom = (textNames: Iterable<string>): ReadonlySet<string | undefined> =>
    new Set([...textNames].map((names) => textNameFor(taken, names)))
  const reached = namesFrom(new Set([...reach.values()].flatMap((textNames) => [...textNames])))
  const used = new Map([...taken].filter(([name]) => reached.has(name)))
  // What was found in a text on its way in is there on its way out, unless the text was changed.
  const known = new Map([...findings].filter(([name]) => taken.get(name) === texts.get(name)))
  const found = yield* scanTexts(used, findersFor(finders, [...reach.keys()]), known, findersFor(finders, inbound))
  const outgoing = yield* protectOutgoing([...reach.keys()], used, found, subscribers)
  const audited = [...reach].map(([statement, textNames]) => {
    const theirs = namesFrom(textNames)
    return { statement, counts: countsOf(new Map([...found].filter(([name]) => theirs.has(name))), statement.identifiers) }
  })
  return { body, outgoing, audits: [...audits, ...audited.filter(isAudit)] }
}

/** Outbound statements that hold for somebody, in the order of the policy, with the names of the texts for those (`textNamesFor`). */
type Reach = ReadonlyMap<ProtectionStatement, ReadonlySet<string>>

const SUBSCRIBERS_PER_STEP = 256
/** The same list stands for the same subscribers: it is looked at once. */
const reaches = new WeakMap<readonly Subscriber[], { readonly policy: DataProtectionPolicy; readonly reach: Reach }>()

function* reachOf(policy: DataProtectionPolicy, subscribers: readonly Subscriber[]): Generator<undefined, Reach, undefined> {
  const outbound = policy.statements.filter(({ direction }) => direction === 'outbound')
  const known = reaches.get(subscribers)
  if (known?.policy === policy) return known.reach
  const textNames = outbound.map(() => new Set<string>())
  const principals = outbound.map((statement) => statement.principals)
  for (const [at, subscriber] of subscribers.entries()) {
    for (const held of heldStatements(principals, subscriber)) textNames[held]?.add(textNamesFor(subscriber))
    if (at % SUBSCRIBERS_PER_STEP === SUBSCRIBERS_PER_STEP - 1) yield
  }
  const reach = new Map(
    outbound.flatMap((statement, at) => {
      const theirs = textNames[at]
      return theirs === undefined || theirs.size === 0 ? [] : [[statement, theirs] as const]
    }),
  )
  reaches.set(subscribers, { policy, reach })
  return reach
}

/** `known`: what of the finders in `knownTo` was found already, in the texts that did not change since. */
function* scanTexts(
  texts: MessageTexts,
  finders: readonly Finder[],
  known?: TextFindings,
  knownTo: readonly Finder[] = [],
): Generator<undefined, TextFindings, undefined> {
  const findings = new Map<string | undefined, Findings>()
  for (const [name, text] of texts) {
    const before = known?.get(name)
    const left = before === undefined ? finders : finders.filter((finder) => !knownTo.includes(finder))
    const found = yield* scanText(text, left)
    findings.set(name, before === undefined ? found : new Map([...before, ...found]))
  }
  return findings
}

function findersFor(finders: DataProtectionPolicy['finders'], statements: readonly ProtectionStatement[]): readonly Finder[] {
  const wanted = new Set(statements.flatMap(({ identifiers }) => [...identifiers]))
  return [...finders].flatMap(([name, finder]) => (wanted.has(name) ? [finder] : []))
}

function isAudit({ statement }: Audit): boolean {
  return statement.operation.kind === 'audit'
}

function countsOf(findings: TextFindings, identifiers: ReadonlySet<string>): Audit['counts'] {
  const counts = new Map<string, number>()
  for (const found of findings.values())
    for (const [name, spans] of found) if (identifiers.has(name)) counts.set(name, (counts.get(name) ?? 0) + spans.length / 2)
  return [...counts].map(([name, count]) => ({ name, count }))
}

function refused({ body }: StructuredBody, refusal: ServiceError): Examined {
  return { refusal, body, audits: [] }
}

/** The caller is told that it was refused, the record also for what. */
function denial(findings: TextFindings, identifiers: ReadonlySet<string>): ServiceError {
  const counts = countsOf(findings, identifiers).map(({ name, count }) => `${name} (${count})`)
  return refusalOf(DENIED, `${DENIED} Found: ${counts.join(', ')}`)
}

function nothingLeft(): ServiceError {
  return refusalOf('The message holds nothing but sensitive data, which the data protection policy of the topic takes out.')
}

const DENIED = 'The message holds sensitive data, which the data protection policy of the topic denies.'

function refusalOf(message: string, recordedMessage = message): ServiceError {
  return new ServiceError('AuthorizationError', 403, message, {
    shape: 'AuthorizationErrorException',
    recordedCode: 'AccessDenied',
    recordedMessage,
  })
}

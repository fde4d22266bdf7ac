// What a topic's data protection policy does to a message before anybody gets it. A topic without one costs a look at its row. Long
// texts are looked through before the call decides, in steps that give way to other calls.
import { parseArn } from '../../model/arn.ts'
import { deidentified } from '../../model/data-protection/deidentify.ts'
import {
  type DataProtectionPolicy,
  DataProtectionPolicyError,
  parseDataProtectionPolicy,
  type ProtectionStatement,
} from '../../model/data-protection/policy.ts'
import { type Finding, scanText } from '../../model/data-protection/scan.ts'
import type { Principal } from '../../model/principal.ts'
import { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { invalidParameter } from './errors.ts'

/** What messages hold of sensitive data, found before the call decides; holds only while the topic has that policy. */
export interface ProtectionScans {
  readonly policy: string
  readonly byBody: ReadonlyMap<string, Scan>
}

interface Scan {
  readonly statements: readonly ProtectionStatement[]
  /** The body, or the texts of a JSON structure, each with what is found in it. */
  readonly texts: readonly { readonly text: string; readonly findings: readonly Finding[] }[]
  /** The names of those texts in a JSON structure. */
  readonly names: readonly string[] | undefined
}

interface Protectable {
  readonly body: string
  readonly structure: 'json' | undefined
}

const STEPS_AT_ONCE = 4
const POLICIES_KEPT_MAX = 256
const kept = new Map<string, DataProtectionPolicy>()

/** The policy as it is kept: undefined takes it away. Throws SNS's refusal. */
export function checkDataProtectionPolicy(text: string): string | undefined {
  if (text === '') return undefined
  try {
    parseDataProtectionPolicy(text)
  } catch (error) {
    throw error instanceof DataProtectionPolicyError ? invalidParameter(`DataProtectionPolicy Reason: ${error.message}`) : error
  }
  return text
}

/** The policy for which a call's messages have to be looked through; undefined where the topic protects nothing. */
export function protectionOf({ env }: Call, topicArn = ''): string | undefined {
  return env.tables.get(Table.topics, topicArn)?.dataProtectionPolicy
}

/** Looks through the messages of a call. */
export async function scanMessages(
  call: Call,
  policy: string,
  messages: readonly { readonly Message?: string | undefined; readonly MessageStructure?: string | undefined }[],
): Promise<ProtectionScans> {
  const byBody = new Map<string, Scan>()
  let steps = 0
  for (const { Message: body = '', MessageStructure } of messages) {
    const structure = MessageStructure === 'json' ? MessageStructure : undefined
    const scanning = scan(call, policy, { body, structure })
    let step = scanning.next()
    while (step.done !== true) {
      if (++steps % STEPS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      step = scanning.next()
    }
    byBody.set(keyOf({ body, structure }), step.value)
  }
  return { policy, byBody }
}

/** The message as the topic takes it. Throws AuthorizationError where the policy denies it. */
export function protectedMessage<Message extends Protectable>(
  tx: Transaction,
  call: Call,
  topic: Topic,
  message: Message,
  messageId: string,
  scans: ProtectionScans | undefined,
): Message {
  const policy = topic.dataProtectionPolicy
  if (policy === undefined) return message
  // The policy was changed in between: the message is looked through again, in one step.
  const found = (scans?.policy === policy ? scans.byBody.get(keyOf(message)) : undefined) ?? finished(scan(call, policy, message))
  const { statements } = found
  const denied = statements.filter(({ operation, identifiers }) => operation.kind === 'deny' && countsOf(found, identifiers).length > 0)
  if (denied.length > 0) throw denial(found, new Set(denied.flatMap(({ identifiers }) => [...identifiers])))
  const body = deidentifiedBody(found, message)
  for (const statement of statements) audit(tx, call, topic, statement, found, messageId)
  return body === message.body ? message : { ...message, body }
}

/** A refusal of one message, which a batch tells of its entry. */
export function isDenial(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === 'AuthorizationError'
}

function* scan(call: Call, text: string, message: Protectable): Generator<undefined, Scan, undefined> {
  const policy = compiled(text)
  const statements = policy.statements.filter(({ principals }) => principals.some((one) => isOne(call.principal, one)))
  const wanted = new Set(statements.flatMap(({ identifiers }) => [...identifiers]))
  const finders = [...policy.finders].flatMap(([name, finder]) => (wanted.has(name) ? [finder] : []))
  const parts = message.structure === 'json' ? partsOf(message.body) : undefined
  const texts = []
  for (const one of parts?.map(([, part]) => part) ?? [message.body]) texts.push({ text: one, findings: yield* scanText(one, finders) })
  return { statements, texts, names: parts?.map(([name]) => name) }
}

function finished<Result>(steps: Generator<undefined, Result, undefined>): Result {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

function compiled(text: string): DataProtectionPolicy {
  let policy = kept.get(text)
  if (policy === undefined) {
    for (const oldest of kept.keys()) {
      if (kept.size < POLICIES_KEPT_MAX) break
      kept.delete(oldest)
    }
    kept.set(text, (policy = parseDataProtectionPolicy(text)))
  }
  return policy
}

/** The texts for the protocols; what is no text is for none of them ("Publishing messages with Amazon SNS", MessageStructure). */
function partsOf(body: string): readonly (readonly [name: string, text: string])[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  return Object.entries(parsed).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : []))
}

function deidentifiedBody({ statements, texts, names }: Scan, { body }: Protectable): string {
  const rules = statements.flatMap(({ operation, identifiers }) =>
    operation.kind === 'deidentify' ? [{ maskWith: operation.maskWith, identifiers }] : [],
  )
  if (rules.length === 0) return body
  const changed = texts.map(({ text, findings }) => deidentified(text, findings, rules))
  if (changed.some((text, at) => text === '' && texts[at]?.text !== '')) throw nothingLeft()
  if (names === undefined) return changed[0] ?? body
  // Also where nothing was found: what is beside the texts has not been looked at, and goes nowhere.
  return JSON.stringify(Object.fromEntries(names.map((name, at) => [name, changed[at]])))
}

/** Told with the message, or not at all: identifiers and how often, nothing of what was said. */
function audit(tx: Transaction, call: Call, topic: Topic, statement: ProtectionStatement, found: Scan, messageId: string): void {
  const { operation, identifiers } = statement
  if (operation.kind !== 'audit' || call.env.random.below(100) >= operation.sampleRate) return
  const counts = countsOf(found, identifiers)
  if (!(counts.length > 0 ? operation.tellsFindings : operation.tellsNoFindings)) return
  call.env.acts.tell(tx, {
    name: counts.length > 0 ? 'SensitiveDataFound' : 'NoSensitiveDataFound',
    details: {
      messageId,
      resourceArn: topic.topicArn,
      callerPrincipal: call.principal.arn === '' ? (call.principal.service ?? call.principal.principalId) : call.principal.arn,
      ...(statement.sid !== undefined && { sid: statement.sid }),
      dataIdentifiers: counts,
    },
  })
}

interface Count {
  readonly name: string
  readonly count: number
}

function countsOf({ texts }: Scan, identifiers: ReadonlySet<string>): readonly Count[] {
  const counts = new Map<string, number>()
  for (const { findings } of texts)
    for (const { identifier } of findings) if (identifiers.has(identifier)) counts.set(identifier, (counts.get(identifier) ?? 0) + 1)
  return [...counts].map(([name, count]) => ({ name, count }))
}

/** The caller is told that it was refused, the record also for what. */
function denial(found: Scan, identifiers: ReadonlySet<string>): ServiceError {
  const counts = countsOf(found, identifiers).map(({ name, count }) => `${name} (${count})`)
  return refusal(DENIED, `${DENIED} Found: ${counts.join(', ')}`)
}

function nothingLeft(): ServiceError {
  return refusal('The message holds nothing but sensitive data, which the data protection policy of the topic takes out.')
}

const DENIED = 'The message holds sensitive data, which the data protection policy of the topic denies.'

function refusal(message: string, recordedMessage = message): ServiceError {
  return new ServiceError('AuthorizationError', 403, message, {
    shape: 'AuthorizationErrorException',
    recordedCode: 'AccessDenied',
    recordedMessage,
  })
}

/** As in access policies: a root stands for its account, a role for its sessions. */
function isOne({ arn, account }: Principal, named: string): boolean {
  if (named === '*' || named === arn) return true
  const parsed = parseArn(named)
  if (parsed === undefined || parsed.account !== account || account === '') return false
  if (parsed.resource === 'root') return true
  const role = /^role\/(?:.*\/)?([^/]+)$/.exec(parsed.resource)?.[1]
  return role !== undefined && parseArn(arn)?.resource.startsWith(`assumed-role/${role}/`) === true
}

function keyOf({ body, structure }: Protectable): string {
  return structure === undefined ? ` ${body}` : `${structure}${body}`
}

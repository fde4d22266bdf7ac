// What SQS asks of a queue's policy beyond what every policy owes: the actions it knows and how large it may be (SQS Developer Guide,
// "Quotas related to policies" and "Limitations of Amazon SQS custom policies"); and the statements that AddPermission writes itself.
import { addPermission, type Permission, removePermission } from './access-policy/policy-edits.ts'
import { actionsOf, type CompiledPolicy } from './access-policy/policy.ts'
import { compileTextPattern } from './access-policy/text-pattern.ts'

const ACTIONS_MAX = 7
const STATEMENTS_MAX = 20
const PRINCIPALS_MAX = 50
const CONDITIONS_MAX = 10
const BYTES_MAX = 8192

/** What a queue's policy can give to other accounts. Each covers its batch. */
const SHARED_ACTIONS: readonly string[] = [
  ...['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ListDeadLetterSourceQueues', 'PurgeQueue'],
  ...['ReceiveMessage', 'SendMessage'],
]
const OWNERS_ACTIONS: readonly string[] = [
  ...['AddPermission', 'CancelMessageMoveTask', 'CreateQueue', 'DeleteQueue', 'ListMessageMoveTasks', 'ListQueues', 'ListQueueTags'],
  ...['RemovePermission', 'SetQueueAttributes', 'StartMessageMoveTask', 'TagQueue', 'UntagQueue'],
]
const ACTIONS: readonly string[] = [...SHARED_ACTIONS, ...OWNERS_ACTIONS].map((name) => name.toLowerCase())

/** `overLimit`: too much of something; `action`: one that cannot stand there. */
export interface QueuePolicyProblem {
  readonly kind: 'overLimit' | 'action'
  readonly message: string
}

/** What is wrong with a policy that holds by itself, or undefined. */
export function problemOfQueuePolicy(text: string, policy: CompiledPolicy): QueuePolicyProblem | undefined {
  const unknown = actionsOf(policy).find((action) => !isKnownAction(action))
  if (unknown !== undefined) return { kind: 'action', message: invalidAction(unknown, UNKNOWN_ACTION) }
  const { statements } = policy.document
  const bytes = Buffer.byteLength(JSON.stringify(JSON.parse(text)))
  const counts: readonly (readonly [count: number, what: string, max: number])[] = [
    [statements.length, 'Statements', STATEMENTS_MAX],
    ...statements.flatMap(({ actions, conditions }): [number, string, number][] => [
      [actions.items.length, 'Actions', ACTIONS_MAX],
      [conditions.length, 'Conditions', CONDITIONS_MAX],
    ]),
    [statements.reduce((sum, { principals }) => sum + (principals?.items.length ?? 0), 0), 'Principals', PRINCIPALS_MAX],
    [bytes, 'Bytes', BYTES_MAX],
  ]
  const over = counts.find(([count, , max]) => count > max)
  return over === undefined ? undefined : { kind: 'overLimit', message: overLimit(...over) }
}

/** What is wrong with the actions of AddPermission, or undefined. They stand there without a prefix. */
export function problemOfActions(actions: readonly string[]): QueuePolicyProblem | undefined {
  if (actions.length > ACTIONS_MAX) return { kind: 'overLimit', message: overLimit(actions.length, 'Actions', ACTIONS_MAX) }
  const refused = actions.find((name) => name !== '*' && !SHARED_ACTIONS.includes(name))
  if (refused === undefined) return undefined
  const reason = OWNERS_ACTIONS.includes(refused) ? 'Only the queue owner is allowed to invoke this action.' : UNKNOWN_ACTION
  return { kind: 'action', message: invalidAction(`SQS:${refused}`, reason) }
}

/** The policy with one more statement; undefined when a statement bears the label. `policy`: as it stands, undefined without one. */
export function withPermission(
  policy: string | undefined,
  permission: Omit<Permission, 'partition'>,
  partition: string,
): string | undefined {
  const { actions, resource } = permission
  const current = policy ?? JSON.stringify({ Version: '2008-10-17', Id: `${resource}/SQSDefaultPolicy`, Statement: [] })
  return addPermission(current, { ...permission, actions: actions.map((name) => `SQS:${name}`), partition })
}

/** The policy without the statement of that label, empty when none is left; undefined when none bears it. */
export function withoutPermission(policy: string | undefined, label: string): string | undefined {
  if (policy === undefined) return undefined
  const rest = removePermission(policy, label)
  if (rest === policy) return undefined
  const { Statement: statements } = JSON.parse(rest) as { readonly Statement: readonly unknown[] }
  return statements.length === 0 ? '' : rest
}

const UNKNOWN_ACTION = 'Please refer to the appropriate WSDL for a list of valid actions.'

function invalidAction(action: string, reason: string): string {
  return `Value ${action} for parameter ActionName is invalid. Reason: ${reason}`
}

function overLimit(count: number, what: string, max: number): string {
  return `${count} ${what} were found, maximum allowed is ${max}.`
}

function isKnownAction(action: string): boolean {
  if (action === '*') return true
  const [service, name = ''] = action.toLowerCase().split(':')
  if (service !== 'sqs') return false
  if (!/[*?]/.test(name)) return ACTIONS.includes(name)
  const matches = compileTextPattern(name, { element: 'Action', wildcards: true, variables: false })
  return ACTIONS.some((known) => matches(known, {}))
}

// Policies that a service writes itself: the one a topic is born with, and the edits of AddPermission and RemovePermission.
// Edits keep every other byte of meaning: statements, their order, and elements they do not know.

/** What GetTopicAttributes shows for a topic whose policy nobody has set. */
export function defaultTopicPolicy(topicArn: string, account: string): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: DEFAULT_TOPIC_ACTIONS.map((name) => `SNS:${name}`),
        Resource: topicArn,
        Condition: { StringEquals: { 'AWS:SourceOwner': account } },
      },
    ],
  })
}

const DEFAULT_TOPIC_ACTIONS = [
  'GetTopicAttributes',
  'SetTopicAttributes',
  'AddPermission',
  'RemovePermission',
  'DeleteTopic',
  'Subscribe',
  'ListSubscriptionsByTopic',
  'Publish',
] as const

export interface Permission {
  /** The new statement's Sid. */
  readonly label: string
  /** Account ids of twelve digits. */
  readonly accounts: readonly string[]
  /** With prefix, as they shall stand in the document: `SNS:Publish`. */
  readonly actions: readonly string[]
  readonly resource: string
  /** `aws` unless the region lies in another partition. */
  readonly partition?: string
}

/** The document with one more statement, or undefined when a statement already bears the label. `policy` MUST be a valid document. */
export function addPermission(policy: string, { label, accounts, actions, resource, partition = 'aws' }: Permission): string | undefined {
  const document = parseDocument(policy)
  const statements = statementsOf(document)
  if (statements.some(({ Sid }) => Sid === label)) return undefined
  const principals = accounts.map((account) => `arn:${partition}:iam::${account}:root`)
  const added = { Sid: label, Effect: 'Allow', Principal: { AWS: oneOrList(principals) }, Action: oneOrList(actions), Resource: resource }
  return JSON.stringify({ ...document, Statement: [...statements, added] })
}

/** The document without the statement of that label; the same text when none bears it. `policy` MUST be a valid document. */
export function removePermission(policy: string, label: string): string {
  const document = parseDocument(policy)
  const statements = statementsOf(document)
  const kept = statements.filter(({ Sid }) => Sid !== label)
  return kept.length === statements.length ? policy : JSON.stringify({ ...document, Statement: kept })
}

interface Document {
  readonly Statement: Statement | readonly Statement[]
}
interface Statement {
  readonly Sid?: string
}

function parseDocument(policy: string): Document {
  return JSON.parse(policy) as Document
}

function statementsOf({ Statement: source }: Document): readonly Statement[] {
  return isList(source) ? source : [source]
}

function isList(source: Document['Statement']): source is readonly Statement[] {
  return Array.isArray(source)
}

function oneOrList(values: readonly string[]): string | readonly string[] {
  const [first] = values
  return values.length === 1 && first !== undefined ? first : values
}

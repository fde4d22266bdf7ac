// The two tables of the lake as DuckDB sees them, and how a line of NDJSON becomes a row. Reading is lenient: a field that is not what
// it should be becomes null or text, never a lost event; `eventjson` always holds the record as it was written.
// Source: AWS, "Create a table for CloudTrail logs in Athena using manual partitioning" (column names, types and their order).

/** A field's name in the record, and its shape: text, a struct of fields, or a list of such structs. */
type Shape = 'text' | { readonly [field: string]: Shape } | readonly [{ readonly [field: string]: Shape }] | 'map'

const ISSUER = { type: 'text', principalId: 'text', arn: 'text', accountId: 'text', userName: 'text' } as const

const RECORD: Readonly<Record<string, Shape>> = {
  eventVersion: 'text',
  userIdentity: {
    type: 'text',
    principalId: 'text',
    arn: 'text',
    accountId: 'text',
    invokedBy: 'text',
    accessKeyId: 'text',
    userName: 'text',
    onBehalfOf: { userId: 'text', identityStoreArn: 'text' },
    sessionContext: {
      attributes: { mfaAuthenticated: 'text', creationDate: 'text' },
      sessionIssuer: ISSUER,
      ec2RoleDelivery: 'text',
      webIdFederationData: { federatedProvider: 'text', attributes: 'map' },
    },
  },
  eventTime: 'text',
  eventSource: 'text',
  eventName: 'text',
  awsRegion: 'text',
  sourceIPAddress: 'text',
  userAgent: 'text',
  errorCode: 'text',
  errorMessage: 'text',
  requestParameters: 'text',
  responseElements: 'text',
  additionalEventData: 'text',
  requestID: 'text',
  eventID: 'text',
  resources: [{ ARN: 'text', accountId: 'text', type: 'text' }],
  eventType: 'text',
  apiVersion: 'text',
  readOnly: 'text',
  recipientAccountId: 'text',
  serviceEventDetails: 'text',
  sharedEventID: 'text',
  vpcEndpointId: 'text',
  vpcEndpointAccountId: 'text',
  eventCategory: 'text',
  addendum: { reason: 'text', updatedFields: 'text', originalRequestID: 'text', originalEventID: 'text' },
  sessionCredentialFromConsole: 'text',
  edgeDeviceDetails: 'text',
  tlsDetails: { tlsVersion: 'text', cipherSuite: 'text', clientProvidedHostHeader: 'text' },
}

/** Quirk: Logstash's CloudTrail codec takes eventTime out of a record and leaves `@timestamp` in its place (seen in public data sets). */
const READ = { ...RECORD, '@timestamp': 'text' } as const

const DELIVERY = {
  deliveryId: 'text',
  messageId: 'text',
  topicArn: 'text',
  subscriptionArn: 'text',
  protocol: 'text',
  endpoint: 'text',
  attempt: 'text',
  startedAt: 'text',
  durationMs: 'text',
  status: 'text',
  outcome: 'text',
  reason: 'text',
  nextAttemptAt: 'text',
  account: 'text',
  region: 'text',
  logGroup: 'text',
  statusLog: 'text',
} as const

const OWN_COLUMNS = {
  event_class: 'VARCHAR',
  event_time: 'TIMESTAMP',
  arrived_at: 'TIMESTAMP',
  committed_at: 'TIMESTAMP',
  duration_ms: 'DOUBLE',
  position: 'BIGINT',
  eventjson: 'VARCHAR',
} as const

/** Column name -> type, in the order of `SELECT *`. */
export const EVENT_COLUMNS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(RECORD).map(([name, shape]) => [name.toLowerCase(), sqlType(shape, true)])),
  ...OWN_COLUMNS,
}

export const DELIVERY_COLUMNS: Readonly<Record<string, string>> = {
  delivery_id: 'VARCHAR',
  message_id: 'VARCHAR',
  topic_arn: 'VARCHAR',
  subscription_arn: 'VARCHAR',
  protocol: 'VARCHAR',
  endpoint: 'VARCHAR',
  attempt: 'INTEGER',
  started_at: 'TIMESTAMP',
  duration_ms: 'DOUBLE',
  status: 'INTEGER',
  outcome: 'VARCHAR',
  reason: 'VARCHAR',
  next_attempt_at: 'TIMESTAMP',
  account: 'VARCHAR',
  region: 'VARCHAR',
  log_group: 'VARCHAR',
  status_log: 'VARCHAR',
  position: 'BIGINT',
}

export const TABLES = ['events', 'deliveries'] as const

export function createTable(name: string, columns: Readonly<Record<string, string>>): string {
  return `CREATE TABLE ${name} (${Object.entries(columns)
    .map(([column, type]) => `${column} ${type}`)
    .join(', ')})`
}

export function columnList(columns: Readonly<Record<string, string>>): string {
  return Object.keys(columns).join(', ')
}

/** Rows of `events` from a relation with the columns class, position, arrived and committed (ms), record (text), and what `extra` keeps. */
export function eventRows(from: string, extra = ''): string {
  const fields = Object.entries(RECORD).map(([name, shape]) => `fields."${name}"${shape === 'text' ? '' : `::${sqlType(shape, true)}`}`)
  return (
    `SELECT ${fields.join(', ')}, class, coalesce(try_cast(fields."eventTime" AS TIMESTAMP), ` +
    `try_cast(fields."@timestamp" AS TIMESTAMP)), ${time('arrived')}, ${time('committed')}, ` +
    `CASE WHEN class <> 'imported' THEN committed - arrived END, position, record${extra} ` +
    `FROM (SELECT *, ${transformed(READ)} AS fields FROM ${from})`
  )
}

/** Rows of `deliveries` from a relation with the columns position and record. */
export function deliveryRows(from: string): string {
  const text = (name: keyof typeof DELIVERY): string => `fields."${name}"`
  const moment = (name: keyof typeof DELIVERY): string =>
    `coalesce(${time(`try_cast(${text(name)} AS DOUBLE)`)}, try_cast(${text(name)} AS TIMESTAMP))`
  const columns = Object.keys(DELIVERY) as (keyof typeof DELIVERY)[]
  const values = columns.map((name) => {
    if (name === 'attempt' || name === 'status') return `try_cast(${text(name)} AS INTEGER)`
    if (name === 'durationMs') return `try_cast(${text(name)} AS DOUBLE)`
    return name === 'startedAt' || name === 'nextAttemptAt' ? moment(name) : text(name)
  })
  return `SELECT ${values.join(', ')}, position FROM (SELECT *, ${transformed(DELIVERY)} AS fields FROM ${from})`
}

/**
 * The parts of a line as storage/duckdb/lines.ts writes it. The record stands last, behind a head of known layout, so that it is cut out by
 * place, byte for byte.
 */
export function lineParts(from: string): string {
  return (
    `SELECT head.class AS class, head.position AS position, head."arrivedAt" AS arrived, head."committedAt" AS committed, record FROM (` +
    `SELECT json_transform(line[:split - 1] || '}', ` +
    `'{"position":"BIGINT","class":"VARCHAR","arrivedAt":"DOUBLE","committedAt":"DOUBLE"}') AS head, line[split + 10 : -2] AS record ` +
    `FROM (SELECT line, instr(line, ',"record":') AS split FROM ${from} WHERE line <> ''))`
  )
}

/** Quirk: half a surrogate pair, `"\ud83d"`, is JSON to JavaScript and AWS, but not to DuckDB; it is read as U+FFFD. */
function transformed(shape: Readonly<Record<string, Shape>>): string {
  const mended = `regexp_replace(record, '\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\\\ufffd', 'g')`
  const valid = `CASE WHEN json_valid(record) THEN record WHEN json_valid(${mended}) THEN ${mended} END`
  return `json_transform(${valid}, '${JSON.stringify(jsonStructure(shape))}')`
}

function jsonStructure(shape: Shape): unknown {
  if (shape === 'text') return 'VARCHAR'
  if (shape === 'map') return 'MAP(VARCHAR, VARCHAR)'
  if (isList(shape)) return [jsonStructure(shape[0])]
  return Object.fromEntries(Object.entries(shape).map(([name, inner]) => [name, jsonStructure(inner)]))
}

function sqlType(shape: Shape, lowerCase: boolean): string {
  if (shape === 'text') return 'VARCHAR'
  if (shape === 'map') return 'MAP(VARCHAR, VARCHAR)'
  if (isList(shape)) return `${sqlType(shape[0], lowerCase)}[]`
  const fields = Object.entries(shape).map(([name, inner]) => `"${lowerCase ? name.toLowerCase() : name}" ${sqlType(inner, lowerCase)}`)
  return `STRUCT(${fields.join(', ')})`
}

function isList(shape: Shape): shape is readonly [{ readonly [field: string]: Shape }] {
  return Array.isArray(shape)
}

function time(milliseconds: string): string {
  return `make_timestamp(try_cast(round((${milliseconds}) * 1000) AS BIGINT))`
}

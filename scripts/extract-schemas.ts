// Writes src/services/<service>/model.json from the runtime schemas that the pinned AWS SDK clients export (`Publish$`,
// `NotFoundException$`; their form is described by @smithy/types, schema/static-schemas). Run it after changing a client's version;
// src/wire/codecs/models.test.ts fails while a file differs from what this script would write.
//   node bin/node26.js scripts/extract-schemas.ts
import { writeFileSync } from 'node:fs'
import type {
  ErrorShape,
  HttpBinding,
  MemberFile,
  ModelFile,
  OperationFile,
  FileReference,
  StructureFile,
  TimestampFormat,
} from '../src/model/shape.ts'

/** What the schemas do not say. */
export const SERVICES = {
  sns: {
    client: '@aws-sdk/client-sns',
    version: '2010-03-31',
    protocol: 'awsQuery',
    xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  },
  sqs: {
    client: '@aws-sdk/client-sqs',
    version: '2012-11-05',
    protocol: 'awsJson1_0',
    xmlNamespace: 'http://queue.amazonaws.com/doc/2012-11-05/',
    targetPrefixes: ['AmazonSQS'],
    errorNamespace: 'com.amazonaws.sqs',
    queryCompatible: true,
  },
  sts: {
    client: '@aws-sdk/client-sts',
    version: '2011-06-15',
    protocol: 'awsQuery',
    xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  },
  cloudtrail: {
    client: '@aws-sdk/client-cloudtrail',
    version: '2013-11-01',
    protocol: 'awsJson1_1',
    xmlNamespace: 'http://cloudtrail.amazonaws.com/doc/2013-11-01/',
    targetPrefixes: ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', 'CloudTrail_20131101'],
  },
  s3: {
    client: '@aws-sdk/client-s3',
    version: '2006-03-01',
    protocol: 'restXml',
    xmlNamespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
  },
} as const satisfies Record<string, Omit<ModelFile, 'service' | 'operations' | 'shapes' | 'errors'> & { client: string }>

/** GetBucketLocation carries the trait aws.customizations#s3UnwrappedXmlOutput, which the client's schema leaves out. */
const UNWRAPPED = ['GetBucketLocation']

const SIMPLE = 0
const LIST = 1
const MAP = 2
const UNION = 4
const ERROR = -3
const OPERATION = 9
const LIST_OF = 64
const MAP_OF = 128
const TIMESTAMPS: Readonly<Record<number, TimestampFormat | undefined>> = { 5: 'date-time', 6: 'http-date', 7: 'epoch-seconds' }
const BLOB_STREAM = 42
const TRAIT_BITS = ['httpLabel', 'idempotent', 'idempotencyToken', 'sensitive', 'httpPayload', 'httpResponseCode', 'httpQueryParams']

type Traits = Readonly<Record<string, unknown>>
type Static = readonly unknown[]

export async function extractModel(service: keyof typeof SERVICES): Promise<ModelFile> {
  const { client, ...facts } = SERVICES[service]
  const schemas = Object.entries((await import(client)) as Record<string, unknown>).flatMap(([name, schema]) =>
    name.endsWith('$') && Array.isArray(schema) ? [schema as Static] : [],
  )
  const shapes: Record<string, ModelFile['shapes'][string]> = {}
  const operations: Record<string, OperationFile> = {}
  const errors: Record<string, ErrorShape> = {}

  const reference = (schema: unknown): FileReference => {
    const target = dereference(schema)
    if (typeof target === 'number') {
      if (target >= MAP_OF) return { type: 'map', value: reference(target & 63) }
      if (target >= LIST_OF) return { type: 'list', member: reference(target & 63) }
      return simple(target)
    }
    if (!Array.isArray(target)) throw new TypeError(`unknown schema ${String(target)}`)
    if (target[0] === SIMPLE) return reference(target[4])
    const name = String(target[2])
    if (shapes[name] === undefined) {
      shapes[name] = { type: 'structure', members: {} }
      shapes[name] = shape(target)
    }
    return name
  }

  const shape = (schema: Static): ModelFile['shapes'][string] => {
    if (schema[0] === LIST) {
      const [member, traits] = unwrap(schema[4])
      return { type: 'list', member: reference(member), ...text('memberName', traits.xmlName) }
    }
    if (schema[0] === MAP) {
      const [, keyTraits] = unwrap(schema[4])
      const [value, valueTraits] = unwrap(schema[5])
      return { type: 'map', value: reference(value), ...text('keyName', keyTraits.xmlName), ...text('valueName', valueTraits.xmlName) }
    }
    const traits = traitsOf(schema[3])
    const names = schema[4] as readonly string[]
    const members = names.map((name, at) => [name, memberOf(name, (schema[5] as Static)[at], at < Number(schema[6] ?? 0))] as const)
    const type = schema[0] === UNION ? 'union' : 'structure'
    return { type, ...text('xmlName', traits.xmlName), members: Object.fromEntries(members) } satisfies StructureFile
  }

  const memberOf = (name: string, schema: unknown, required: boolean): MemberFile => {
    const [target, own] = unwrap(schema)
    const resolved = dereference(target)
    const traits: Traits = { ...(Array.isArray(resolved) ? traitsOf(resolved[3]) : {}), ...own }
    const bare = Array.isArray(resolved) && resolved[0] === SIMPLE ? dereference(resolved[4]) : resolved
    return {
      shape: reference(target),
      ...(required ? { required: true } : {}),
      ...(own.xmlName === undefined ? {} : text('wireName', own.xmlName)),
      ...flag('flattened', traits.xmlFlattened),
      ...flag('xmlAttribute', traits.xmlAttribute),
      ...(own.xmlNamespace === undefined ? {} : { xmlNamespace: own.xmlNamespace as [string, string] }),
      ...(typeof bare === 'number' && TIMESTAMPS[bare] !== undefined ? { timestampFormat: TIMESTAMPS[bare] } : {}),
      ...httpBinding(name, traits),
      ...flag('streaming', bare === BLOB_STREAM || traits.streaming),
      ...flag('sensitive', traits.sensitive),
    }
  }

  const operation = (schema: Static): OperationFile => {
    const [input, output] = [dereference(schema[4]), dereference(schema[5])]
    const http = traitsOf(schema[3]).http as readonly [string, string, number] | undefined
    const hasBucket = Array.isArray(input) && (input[4] as readonly string[]).includes('Bucket')
    return {
      ...(input === 'unit' ? {} : { input: reference(input) as string }),
      ...(output === 'unit' ? {} : { output: reference(output) as string }),
      // The S3 client puts the bucket into the host name, so its paths lack the label.
      ...(http === undefined
        ? {}
        : { http: { method: http[0], uri: (hasBucket ? '/{Bucket}' : '') + pathOf(http[1], hasBucket), code: http[2] } }),
      ...(UNWRAPPED.includes(String(schema[2])) ? { unwrapped: true } : {}),
    }
  }

  for (const schema of schemas) {
    const name = String(schema[2])
    if (schema[0] === OPERATION) operations[name] = operation(schema)
    if (schema[0] === ERROR && !String(schema[1]).startsWith('smithy.')) errors[name] = errorShape(traitsOf(schema[3]))
  }
  return { service, ...facts, operations: sorted(operations), shapes: sorted(shapes), errors: sorted(errors) }
}

function simple(code: number): FileReference {
  if (code === 0) return 'string'
  if (code === 1 || code === 17 || code === 19) return 'number'
  if (code === 2) return 'boolean'
  if (code >= 4 && code <= 7) return 'timestamp'
  if (code === 15) return 'document'
  if (code === 21 || code === BLOB_STREAM) return 'blob'
  throw new TypeError(`unknown simple schema ${code}`)
}

function dereference(schema: unknown): unknown {
  return typeof schema === 'function' ? dereference(schema()) : schema
}

/** A member is a schema, or a pair of schema and traits. */
function unwrap(schema: unknown): [unknown, Traits] {
  return Array.isArray(schema) && schema.length === 2 ? [schema[0], traitsOf(schema[1])] : [schema, {}]
}

function traitsOf(traits: unknown): Traits {
  if (typeof traits === 'object' && traits !== null) return traits as Traits
  return Object.fromEntries(TRAIT_BITS.flatMap((name, bit) => ((Number(traits) >> bit) & 1 ? [[name, 1]] : [])))
}

function httpBinding(name: string, traits: Traits): { http?: HttpBinding } {
  if (traits.httpLabel) return { http: { in: 'label', name } }
  if (traits.httpQuery) return { http: { in: 'query', name: String(traits.httpQuery) } }
  if (traits.httpQueryParams) return { http: { in: 'queryParams', name } }
  if (traits.httpHeader) return { http: { in: 'header', name: String(traits.httpHeader).toLowerCase() } }
  if (traits.httpPrefixHeaders) return { http: { in: 'prefixHeaders', name: String(traits.httpPrefixHeaders).toLowerCase() } }
  if (traits.httpPayload) return { http: { in: 'payload', name } }
  if (traits.httpResponseCode) return { http: { in: 'statusCode', name } }
  return {}
}

function errorShape(traits: Traits): ErrorShape {
  const query = traits.awsQueryError as readonly [string, number] | undefined
  const fault = traits.error === 'server' ? 'server' : 'client'
  const status = Number(traits.httpError ?? query?.[1] ?? (fault === 'server' ? 500 : 400))
  return { status, ...(query === undefined ? {} : { queryCode: query[0] }), fault }
}

function pathOf(uri: string, hasBucket: boolean): string {
  return hasBucket && (uri === '/' || uri.startsWith('/?')) ? uri.slice(1) : uri
}

function text<Name extends string>(name: Name, value: unknown): { [name in Name]?: string } {
  return (value === undefined ? {} : { [name]: String(value) }) as { [name in Name]?: string }
}

function flag<Name extends string>(name: Name, value: unknown): { [name in Name]?: true } {
  return (value ? { [name]: true } : {}) as { [name in Name]?: true }
}

function sorted<Value>(record: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** One line per operation, shape and error, so that a change of version reads well in a diff. */
export function formatModel(model: ModelFile): string {
  const section = (record: object) =>
    '{\n' +
    Object.entries(record)
      .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n') +
    '\n  }'
  const { operations, shapes, errors, ...facts } = model
  const lines = Object.entries(facts).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  for (const [name, record] of Object.entries({ operations, shapes, errors })) lines.push(`  "${name}": ${section(record)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

if (import.meta.main) {
  for (const service of Object.keys(SERVICES) as (keyof typeof SERVICES)[]) {
    const file = new URL(`../src/services/${service}/model.json`, import.meta.url)
    writeFileSync(file, formatModel(await extractModel(service)))
    process.stdout.write(`wrote ${file.pathname}\n`)
  }
}

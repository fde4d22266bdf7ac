// The shapes of a service's operations as data: what the codecs need to know, taken from the SDK's own runtime schemas by
// scripts/extract-schemas.ts. A model lies in a JSON file where shapes are named (ModelFile); linked, they point at each other.
import { assert } from '../base/assert.ts'

export type Protocol = 'awsQuery' | 'awsJson1_0' | 'awsJson1_1' | 'restXml' | 'restJson1'
export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds'

/** Values: `document` any JSON value, `blob` Uint8Array (a stream where it is a streaming payload), `timestamp` Date, `map` an object. */
export type SimpleType = 'string' | 'boolean' | 'number' | 'blob' | 'document' | 'timestamp'

export type Shape = SimpleShape | ListShape | MapShape | StructureShape
export interface SimpleShape {
  readonly type: SimpleType
}
export interface ListShape {
  readonly type: 'list'
  readonly member: Shape
  /** The element's name on the wire; `member` unless the model says otherwise. */
  readonly memberName: string
}
export interface MapShape {
  readonly type: 'map'
  readonly value: Shape
  readonly keyName: string
  readonly valueName: string
}
export interface StructureShape {
  readonly type: 'structure' | 'union'
  readonly name: string
  readonly members: Readonly<Record<string, Member>>
  /** The same members, in the model's order, for walking them without making a list each time. */
  readonly memberList: readonly Member[]
  /** The root element where this shape is a whole XML document. */
  readonly xmlName?: string
}

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly required: boolean
  /** The member's name on the wire in XML and query forms. JSON uses `name`. */
  readonly wireName: string
  readonly flattened: boolean
  readonly xmlAttribute: boolean
  readonly xmlNamespace?: readonly [prefix: string, uri: string]
  readonly timestampFormat?: TimestampFormat
  readonly http?: HttpBinding
  readonly streaming: boolean
  readonly sensitive: boolean
}
export interface HttpBinding {
  readonly in: 'label' | 'query' | 'queryParams' | 'header' | 'prefixHeaders' | 'payload' | 'statusCode'
  /** Header names in lower case. */
  readonly name: string
}

export interface OperationShape {
  readonly name: string
  readonly input: StructureShape
  /** Undefined: the operation answers nothing at all, which awsQuery tells from an empty structure. */
  readonly output: StructureShape | undefined
  readonly http?: { readonly method: string; readonly uri: string; readonly code: number }
  /** Quirk: the output's only member is the whole body (S3 GetBucketLocation). */
  readonly unwrapped: boolean
}

/** An error shape: what stands on the wire for it. `queryCode` is its code in awsQuery and in x-amzn-query-error. */
export interface ErrorShape {
  readonly status: number
  readonly queryCode?: string
  readonly fault: 'client' | 'server'
}

export interface ServiceModel {
  readonly service: string
  readonly version: string
  readonly protocol: Protocol
  readonly xmlNamespace: string
  /** What comes before the operation's name in X-Amz-Target; the first is the service's own. */
  readonly targetPrefixes: readonly string[]
  /** The namespace of error types (`com.amazonaws.sqs#QueueDoesNotExist`), where the service sends it. */
  readonly errorNamespace?: string
  /** JSON services that answer old query clients too, and name the old codes in x-amzn-query-error. */
  readonly queryCompatible: boolean
  /** Records without a prototype: a caller's text may be looked up in them. */
  readonly operations: Readonly<Record<string, OperationShape | undefined>>
  readonly shapes: Readonly<Record<string, Shape | undefined>>
  readonly errors: Readonly<Record<string, ErrorShape | undefined>>
}

/** A shape, or its name in `ServiceModel.shapes`. Linked models hold shapes alone. */
export type Reference = string | Shape

/** In a file: a simple type, the name of a shape in the same file, or a list or map in place. */
export type FileReference = string | ListFile | MapFile
interface ListFile {
  readonly type: 'list'
  readonly member: FileReference
  readonly memberName?: string
}
interface MapFile {
  readonly type: 'map'
  readonly value: FileReference
  readonly keyName?: string
  readonly valueName?: string
}
export interface MemberFile {
  readonly shape: FileReference
  readonly required?: true
  readonly wireName?: string
  readonly flattened?: true
  readonly xmlAttribute?: true
  readonly xmlNamespace?: readonly [string, string]
  readonly timestampFormat?: TimestampFormat
  readonly http?: HttpBinding
  readonly streaming?: true
  readonly sensitive?: true
}
export interface StructureFile {
  readonly type: 'structure' | 'union'
  readonly xmlName?: string
  readonly members: Readonly<Record<string, MemberFile>>
}
export interface OperationFile {
  readonly input?: string
  readonly output?: string
  readonly http?: { readonly method: string; readonly uri: string; readonly code: number }
  readonly unwrapped?: true
}
export interface ModelFile {
  readonly service: string
  readonly version: string
  readonly protocol: Protocol
  readonly xmlNamespace: string
  readonly targetPrefixes?: readonly string[]
  readonly errorNamespace?: string
  readonly queryCompatible?: true
  readonly operations: Readonly<Record<string, OperationFile>>
  readonly shapes: Readonly<Record<string, ListFile | MapFile | StructureFile>>
  readonly errors: Readonly<Record<string, ErrorShape>>
}

const SIMPLE: ReadonlyMap<string, SimpleShape> = new Map(
  (['string', 'boolean', 'number', 'blob', 'document', 'timestamp'] as const).map((type) => [type, { type }]),
)
const NOTHING: StructureShape = { type: 'structure', name: 'Unit', members: {}, memberList: [] }

/** Resolves the names in a model file. Shapes may be recursive. Throws on a name that is none. */
export function linkModel(file: ModelFile): ServiceModel {
  const linked = new Map<string, Shape>()

  const resolve = (reference: FileReference): Shape => {
    if (typeof reference !== 'string') return linkCollection(reference, {} as ListShape | MapShape)
    const simple = SIMPLE.get(reference)
    if (simple !== undefined) return simple
    const known = linked.get(reference)
    if (known !== undefined) return known
    const shape = file.shapes[reference]
    assert(shape !== undefined, `a shape ${reference} in the model of ${file.service}`)
    const target = {} as Shape
    linked.set(reference, target)
    if (shape.type === 'list' || shape.type === 'map') return linkCollection(shape, target as ListShape | MapShape)
    const memberList = Object.entries(shape.members).map(([name, member]) => linkMember(name, member))
    const members = withoutPrototype(memberList.map((member) => [member.name, member]))
    return Object.assign(target, { type: shape.type, name: reference, members, memberList, xmlName: shape.xmlName })
  }

  const linkCollection = (collection: ListFile | MapFile, target: ListShape | MapShape): Shape =>
    collection.type === 'list'
      ? Object.assign(target, { type: 'list' as const, member: resolve(collection.member), memberName: collection.memberName ?? 'member' })
      : Object.assign(target, {
          type: 'map' as const,
          value: resolve(collection.value),
          keyName: collection.keyName ?? 'key',
          valueName: collection.valueName ?? 'value',
        })

  const linkMember = (name: string, member: MemberFile): Member => ({
    name,
    shape: resolve(member.shape),
    required: member.required ?? false,
    wireName: member.wireName ?? name,
    flattened: member.flattened ?? false,
    xmlAttribute: member.xmlAttribute ?? false,
    xmlNamespace: member.xmlNamespace,
    timestampFormat: member.timestampFormat,
    http: member.http,
    streaming: member.streaming ?? false,
    sensitive: member.sensitive ?? false,
  })

  const structure = (name: string): StructureShape => {
    const shape = resolve(name)
    assert(shape.type === 'structure' || shape.type === 'union', `${name} of ${file.service} is a structure`)
    return shape
  }

  const operations = Object.entries(file.operations).map(([name, operation]): [string, OperationShape] => [
    name,
    {
      name,
      input: operation.input === undefined ? NOTHING : structure(operation.input),
      output: operation.output === undefined ? undefined : structure(operation.output),
      http: operation.http,
      unwrapped: operation.unwrapped ?? false,
    },
  ])
  return {
    service: file.service,
    version: file.version,
    protocol: file.protocol,
    xmlNamespace: file.xmlNamespace,
    targetPrefixes: file.targetPrefixes ?? [],
    errorNamespace: file.errorNamespace,
    queryCompatible: file.queryCompatible ?? false,
    operations: withoutPrototype(operations),
    shapes: withoutPrototype([...linked]),
    errors: withoutPrototype(Object.entries(file.errors)),
  }
}

function withoutPrototype<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.assign(Object.create(null) as Record<string, Value>, Object.fromEntries(entries))
}

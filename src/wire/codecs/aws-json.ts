// The awsJson protocols 1.0 and 1.1: JSON in, JSON out, the operation named in X-Amz-Target. SQS and CloudTrail speak it.
// Times are epoch seconds, blobs base64. See smithy.io, "AWS JSON 1.0 protocol".
import { isAscii, isUtf8 } from 'node:buffer'
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'
import type { OperationShape, ServiceModel, Shape, StructureShape } from '../../model/shape.ts'
import { dateOfSeconds, type Input, readBase64, setKey, writeBase64 } from './values.ts'

/** The operation's input; null counts as absent, unknown members are ignored. Throws SerializationException. */
export function decodeJson({ input }: OperationShape, bytes: Buffer): Input {
  if (bytes.length === 0) return {}
  const value = parseJson(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw serialization('Start of structure or map expected.')
  return readStructure(input, value as Input)
}

export function encodeJson({ output }: OperationShape, value: Readonly<Record<string, unknown>>): string {
  return output === undefined ? '{}' : JSON.stringify(writeStructure(output, value))
}

export interface EncodedJsonError {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export function encodeJsonError(model: ServiceModel, error: ServiceError): EncodedJsonError {
  const isOwn = model.errors[error.shape] !== undefined
  const namespace = model.errorNamespace === undefined ? '' : `${isOwn ? model.errorNamespace : 'com.amazon.coral.service'}#`
  const type = namespace + error.shape
  const queryCode = model.errors[error.shape]?.queryCode ?? error.code
  return {
    body: JSON.stringify({ __type: type, ...error.details, message: error.message }),
    headers: {
      'x-amzn-ErrorType': type,
      ...(model.queryCompatible ? { 'x-amzn-query-error': `${queryCode};${error.fault}` } : {}),
    },
  }
}

export function serialization(message: string): ServiceError {
  return new ServiceError('SerializationException', 400, message)
}

/** V8 parses nesting without recursion but builds every level; short bodies cannot nest far enough to matter. */
const DEPTH_CHECK_BYTES = 16 * 1024

/** Of bytes that came from outside: throws SerializationException. */
export function parseJson(bytes: Buffer): unknown {
  const isPlain = isAscii(bytes)
  if (!isPlain && !isUtf8(bytes)) throw serialization('The body is not UTF-8.')
  if (bytes.length > DEPTH_CHECK_BYTES && depthOf(bytes) > WIRE.jsonDepthMax)
    throw serialization(`The body nests deeper than ${WIRE.jsonDepthMax} levels.`)
  try {
    return JSON.parse(bytes.toString(isPlain ? 'latin1' : 'utf8'))
  } catch {
    throw serialization('The body is not valid JSON.')
  }
}

/** Of bytes that are JSON; of others, nothing that is sure. */
function depthOf(bytes: Buffer): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}

/** Where the string that begins at `start` ends. A long one without escapes, which is most of the bytes of a large body, is not walked. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length;) {
    for (const until = Math.min(bytes.length, at + WALKED_BYTES); at < until; at++) {
      if (bytes[at] === QUOTE) return at
      if (bytes[at] === BACKSLASH) at++
    }
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1) return bytes.length
    const escape = bytes.subarray(at, quote).indexOf(BACKSLASH)
    if (escape === -1) return quote
    at += escape
  }
  return bytes.length
}

const WALKED_BYTES = 1024
const QUOTE = 0x22
const BACKSLASH = 0x5c

function readStructure(shape: StructureShape, value: Readonly<Record<string, unknown>>): Input {
  const input: Input = {}
  for (const { name, shape: inner } of shape.memberList) {
    if (!Object.hasOwn(value, name)) continue
    const given = value[name]
    if (given !== null) input[name] = readValue(inner, given, name)
  }
  return input
}

function readValue(shape: Shape, value: unknown, name: string): unknown {
  switch (shape.type) {
    case 'string':
      if (typeof value === 'string') return value
      throw serialization(`${kindOf(value)} can not be converted to a String (${name})`)
    case 'boolean':
      if (typeof value === 'boolean') return value
      throw serialization(`${kindOf(value)} can not be converted to a Boolean (${name})`)
    case 'number':
      if (typeof value === 'number' && Number.isFinite(value)) return value
      throw serialization(`${kindOf(value)} can not be converted to a Number (${name})`)
    case 'blob': {
      const bytes = typeof value === 'string' ? readBase64(value) : undefined
      if (bytes === undefined) throw serialization(`${kindOf(value)} can not be converted to a Blob: base64 text is expected (${name})`)
      return bytes
    }
    case 'timestamp': {
      const date = typeof value === 'number' ? dateOfSeconds(value) : undefined
      if (date === undefined)
        throw serialization(`${kindOf(value)} can not be converted to a Timestamp: epoch seconds are expected (${name})`)
      return date
    }
    case 'document':
      return value
    case 'list':
      if (!Array.isArray(value)) throw serialization(`Start of list expected, found ${kindOf(value)} (${name})`)
      return value.filter((element) => element !== null).map((element) => readValue(shape.member, element, name))
    default:
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw serialization(`Start of structure or map expected, found ${kindOf(value)} (${name})`)
      return shape.type === 'map' ? readMap(shape.value, value as Input, name) : readStructure(shape, value as Input)
  }
}

function readMap(shape: Shape, value: Readonly<Record<string, unknown>>, name: string): Input {
  const map: Input = {}
  for (const key of Object.keys(value)) {
    const given = value[key]
    if (given !== null) setKey(map, key, readValue(shape, given, name))
  }
  return map
}

function kindOf(value: unknown): string {
  if (value === null) return 'NULL_VALUE'
  if (Array.isArray(value)) return 'START_LIST'
  if (typeof value === 'object') return 'START_STRUCTURE'
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE'
  return typeof value === 'string' ? 'STRING_VALUE' : 'NUMBER_VALUE'
}

function writeStructure(shape: StructureShape, value: Readonly<Record<string, unknown>>): Input {
  const written: Input = {}
  for (const { name, shape: inner } of shape.memberList) {
    const given = value[name]
    if (given !== undefined && given !== null) written[name] = writeValue(inner, given)
  }
  return written
}

function writeValue(shape: Shape, value: unknown): unknown {
  switch (shape.type) {
    case 'blob':
      return writeBase64(value)
    case 'timestamp':
      return (value as Date).getTime() / 1000
    case 'list':
      return (value as readonly unknown[]).map((element) => writeValue(shape.member, element))
    case 'map': {
      const map: Input = {}
      for (const key of Object.keys(value as Input)) setKey(map, key, writeValue(shape.value, (value as Input)[key]))
      return map
    }
    case 'structure':
    case 'union':
      return writeStructure(shape, value as Input)
    default:
      return value
  }
}

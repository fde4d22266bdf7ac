// Message attributes: what clients send, checked (SQS Developer Guide, "Amazon SQS message metadata"), and how they are shown again.
import { isBinaryType } from '../../model/md5.ts'
import type { MessageAttribute } from '../../model/message.ts'
import { invalidMessageContents, invalidParameter } from './errors.ts'

export interface AttributeValue {
  readonly DataType: string
  readonly StringValue?: string
  readonly BinaryValue?: Uint8Array
  readonly StringListValues?: readonly string[]
  readonly BinaryListValues?: readonly Uint8Array[]
}
export type AttributeValues = Readonly<Record<string, AttributeValue>>
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>

export interface ReadAttributes {
  readonly attributes: MessageAttributes
  /** What they count towards the message's size: names, types and values. */
  readonly bytes: number
}

const ATTRIBUTES_MAX = 10
const TYPES = 'Binary, Number, and String'
// oxlint-disable-next-line no-control-regex -- those are what it looks for
const INVALID = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
const NAME_CHARS_MAX = 256
const TYPE_CHARS_MAX = 256
const NONE: ReadAttributes = { attributes: {}, bytes: 0 }

export function readMessageAttributes(given: AttributeValues | undefined): ReadAttributes {
  if (given === undefined) return NONE
  const entries = Object.entries(given)
  if (entries.length > ATTRIBUTES_MAX)
    throw invalidParameter(`Number of message attributes [${entries.length}] exceeds the allowed maximum [${ATTRIBUTES_MAX}].`)
  let bytes = 0
  const read = entries.map(([name, value]): [string, MessageAttribute] => {
    checkName(name)
    const attribute = readAttribute(name, value)
    bytes += name.length + Buffer.byteLength(attribute.type) + (value.BinaryValue?.length ?? Buffer.byteLength(attribute.value))
    return [name, attribute]
  })
  return { attributes: Object.fromEntries(read), bytes }
}

/** Of the attributes that the queue itself would set, clients may send the trace header alone. It does not count towards the size. */
export function readSystemAttributes(given: AttributeValues | undefined): MessageAttributes {
  if (given === undefined) return NONE.attributes
  const read = Object.entries(given).map(([name, value]): [string, MessageAttribute] => {
    if (name !== 'AWSTraceHeader')
      throw invalidParameter(`Message system attribute name '${name}' is invalid. Only AWSTraceHeader may be sent.`)
    if (value.DataType !== 'String') throw invalidParameter(`The message system attribute '${name}' must be of type String.`)
    return [name, readAttribute(name, value)]
  })
  return Object.fromEntries(read)
}

export function formatAttributes(attributes: MessageAttributes): AttributeValues {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { type, value }]) => [
      name,
      isBinaryType(type) ? { DataType: type, BinaryValue: Buffer.from(value, 'base64') } : { DataType: type, StringValue: value },
    ]),
  )
}

/** Valid XML characters, as SQS carries them. Lone surrogates are none. */
export function hasInvalidCharacters(text: string): boolean {
  return INVALID.test(text) || !text.isWellFormed()
}

function checkName(name: string): void {
  if (/^(aws|amazon)\./i.test(name))
    throw invalidParameter(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.",
    )
  if (name.length > NAME_CHARS_MAX)
    throw invalidParameter(`Length of message attribute name must be less than or equal to ${NAME_CHARS_MAX} bytes.`)
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name)) {
    throw invalidParameter(`Invalid message attribute name '${name}'. Use A-Z, a-z, 0-9, _, - and single periods between them.`)
  }
}

function readAttribute(name: string, value: AttributeValue): MessageAttribute {
  const { DataType: type, StringValue: text, BinaryValue: bytes } = value
  if (type === '') throw invalidParameter(`The message attribute '${name}' must contain non-empty message attribute type.`)
  if (!/^(String|Number|Binary)(\..*)?$/s.test(type) || type.length > TYPE_CHARS_MAX || hasInvalidCharacters(type)) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is ${TYPES}.`,
    )
  }
  if ((value.StringListValues?.length ?? 0) > 0 || (value.BinaryListValues?.length ?? 0) > 0)
    throw invalidParameter('Message attribute list values in SendMessage operation are not supported.')
  const isBinary = isBinaryType(type)
  if ((isBinary ? text : bytes) !== undefined)
    throw invalidParameter(`The message attribute '${name}' with type '${type}' must use field '${isBinary ? 'Binary' : 'String'}'.`)
  if (isBinary ? bytes === undefined || bytes.length === 0 : text === undefined || text === '')
    throw invalidParameter(
      `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${type}'.`,
    )
  if (bytes !== undefined) return { type, value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') }
  const kept = text ?? ''
  if (hasInvalidCharacters(kept)) throw invalidMessageContents()
  if (type.startsWith('Number') && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(kept))
    throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`)
  return { type, value: kept }
}

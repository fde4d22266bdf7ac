// The calls that carry messages through SQS, by hand. The decoders know what clients send and give the same input as the schema codec, to
// which they leave everything unusual (null, a wrong type, a required member that is absent, list values) by returning undefined; the
// encoders write the same text. sqs.test.ts holds the two codecs equal on arbitrary JSON.
import { jsonText } from '../../base/json-text.ts'
import { ServiceError } from '../../model/service-error.ts'
import { parseJson } from './aws-json.ts'
import { readBase64, writeBase64 } from './values.ts'

type Json = Readonly<Record<string, unknown>>
type Members = Record<string, unknown>

export interface SqsCodec {
  readonly name: string
  /** The input, in which nothing required is missing; undefined when the schema codec has to look at it. */
  readonly decode: (bytes: Buffer) => Members | undefined
  readonly encode: (output: Json) => string
  /** The same text in pieces that are made as they are asked for; undefined for what is not large. */
  readonly pieces?: (output: Json) => Iterable<string> | undefined
}

const codec = (name: string, read: (value: Json) => Members | undefined, encode: SqsCodec['encode']): SqsCodec => ({
  name,
  encode,
  decode(bytes) {
    try {
      const value = parseJson(bytes)
      return isObject(value) ? read(value) : undefined
    } catch (error) {
      if (error instanceof ServiceError) return undefined
      throw error
    }
  },
})

const empty = (): string => '{}'

const CODECS: readonly SqsCodec[] = [
  codec('SendMessage', (value) => readMembers(value, SEND, 'QueueUrl', 'MessageBody'), encodeSent),
  codec(
    'SendMessageBatch',
    (value) => readBatch(value, SEND_ENTRY, 'Id', 'MessageBody'),
    (output) => encodeBatch(output, sentEntry),
  ),
  { ...codec('ReceiveMessage', (value) => readMembers(value, RECEIVE, 'QueueUrl'), encodeReceived), pieces: receivedPieces },
  codec('DeleteMessage', (value) => readMembers(value, DELETE, 'QueueUrl', 'ReceiptHandle'), empty),
  codec(
    'DeleteMessageBatch',
    (value) => readBatch(value, DELETE_ENTRY, 'Id', 'ReceiptHandle'),
    (output) => encodeBatch(output, plainEntry),
  ),
  codec('ChangeMessageVisibility', (value) => readMembers(value, CHANGE, 'QueueUrl', 'ReceiptHandle', 'VisibilityTimeout'), empty),
  codec(
    'ChangeMessageVisibilityBatch',
    (value) => readBatch(value, CHANGE_ENTRY, 'Id', 'ReceiptHandle'),
    (output) => encodeBatch(output, plainEntry),
  ),
]

/** By X-Amz-Target. */
export const SQS_CODECS: ReadonlyMap<string, SqsCodec> = new Map(CODECS.map((one) => [`AmazonSQS.${one.name}`, one]))
const BY_NAME: ReadonlyMap<string, SqsCodec> = new Map(CODECS.map((one) => [one.name, one]))

export function sqsCodec(operation: string): SqsCodec | undefined {
  return BY_NAME.get(operation)
}

type Kind = 'text' | 'number' | 'texts' | 'attributes'
type Shape = readonly (readonly [name: string, kind: Kind])[]

const MESSAGE: Shape = [
  ['MessageBody', 'text'],
  ['DelaySeconds', 'number'],
  ['MessageAttributes', 'attributes'],
  ['MessageSystemAttributes', 'attributes'],
  ['MessageDeduplicationId', 'text'],
  ['MessageGroupId', 'text'],
]
const SEND: Shape = [['QueueUrl', 'text'], ...MESSAGE]
const SEND_ENTRY: Shape = [['Id', 'text'], ...MESSAGE]
const RECEIVE: Shape = [
  ['QueueUrl', 'text'],
  ['AttributeNames', 'texts'],
  ['MessageSystemAttributeNames', 'texts'],
  ['MessageAttributeNames', 'texts'],
  ['MaxNumberOfMessages', 'number'],
  ['VisibilityTimeout', 'number'],
  ['WaitTimeSeconds', 'number'],
  ['ReceiveRequestAttemptId', 'text'],
]
const DELETE: Shape = [
  ['QueueUrl', 'text'],
  ['ReceiptHandle', 'text'],
]
const DELETE_ENTRY: Shape = [
  ['Id', 'text'],
  ['ReceiptHandle', 'text'],
]
const CHANGE: Shape = [...DELETE, ['VisibilityTimeout', 'number']]
const CHANGE_ENTRY: Shape = [...DELETE_ENTRY, ['VisibilityTimeout', 'number']]

/** The members of a structure that are there; undefined when one is not of its kind, or one of `required` is absent. */
function readMembers(value: Json, shape: Shape, ...required: readonly string[]): Members | undefined {
  const members: Members = {}
  for (const [name, kind] of shape) {
    const given = value[name]
    if (given === undefined) continue
    const read = readValue(given, kind)
    if (read === undefined) return undefined
    members[name] = read
  }
  for (const name of required) if (members[name] === undefined) return undefined
  return members
}

function readBatch(value: Json, shape: Shape, ...required: readonly string[]): Members | undefined {
  const { QueueUrl, Entries } = value
  if (typeof QueueUrl !== 'string' || !Array.isArray(Entries)) return undefined
  const entries: Members[] = []
  for (const given of Entries as readonly unknown[]) {
    const entry = isObject(given) ? readMembers(given, shape, ...required) : undefined
    if (entry === undefined) return undefined
    entries.push(entry)
  }
  return { QueueUrl, Entries: entries }
}

function readValue(value: unknown, kind: Kind): unknown {
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'texts':
      return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : undefined
    case 'attributes':
      return isObject(value) ? readAttributes(value) : undefined
  }
}

function readAttributes(value: Json): Members | undefined {
  const attributes: Members = {}
  for (const name of Object.keys(value)) {
    const given = value[name]
    if (name === '__proto__' || !isObject(given)) return undefined
    const { DataType, StringValue, BinaryValue, StringListValues, BinaryListValues } = given
    if (typeof DataType !== 'string' || StringListValues !== undefined || BinaryListValues !== undefined) return undefined
    const attribute: Members = { DataType }
    if (StringValue !== undefined) {
      if (typeof StringValue !== 'string') return undefined
      attribute['StringValue'] = StringValue
    }
    if (BinaryValue !== undefined) {
      const bytes = typeof BinaryValue === 'string' ? readBase64(BinaryValue) : undefined
      if (bytes === undefined) return undefined
      attribute['BinaryValue'] = bytes
    }
    attributes[name] = attribute
  }
  return attributes
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Collects the members of one object. */
class Writer {
  #json = ''

  get json(): string {
    return `{${this.#json}}`
  }

  text(name: string, value: unknown): this {
    if (typeof value === 'string') this.raw(name, jsonText(value))
    return this
  }

  boolean(name: string, value: unknown): this {
    if (typeof value === 'boolean') this.raw(name, String(value))
    return this
  }

  raw(name: string, json: string | undefined): this {
    if (json !== undefined) this.#json += `${this.#json === '' ? '' : ','}"${name}":${json}`
    return this
  }
}

function encodeSent(output: Json): string {
  return sent(new Writer(), output).json
}

function sentEntry(entry: Json): string {
  const writer = new Writer().text('Id', entry['Id']).text('MessageId', entry['MessageId'])
  return md5s(writer, entry).text('SequenceNumber', entry['SequenceNumber']).json
}

function sent(writer: Writer, output: Json): Writer {
  return md5s(writer, output).text('MessageId', output['MessageId']).text('SequenceNumber', output['SequenceNumber'])
}

function md5s(writer: Writer, output: Json): Writer {
  return writer
    .text('MD5OfMessageBody', output['MD5OfMessageBody'])
    .text('MD5OfMessageAttributes', output['MD5OfMessageAttributes'])
    .text('MD5OfMessageSystemAttributes', output['MD5OfMessageSystemAttributes'])
}

function plainEntry(entry: Json): string {
  return new Writer().text('Id', entry['Id']).json
}

function failedEntry({ Id, SenderFault, Code, Message }: Json): string {
  return new Writer().text('Id', Id).boolean('SenderFault', SenderFault).text('Code', Code).text('Message', Message).json
}

function encodeBatch({ Successful, Failed }: Json, entry: (value: Json) => string): string {
  return new Writer().raw('Successful', list(Successful, entry)).raw('Failed', list(Failed, failedEntry)).json
}

function encodeReceived({ Messages }: Json): string {
  return new Writer().raw('Messages', list(Messages, encodeMessage)).json
}

/** Characters of bodies. A larger answer as one text would hold up everybody else while it is written. */
const WHOLE_CHARS_MAX = 512 * 1024

function receivedPieces({ Messages }: Json): Iterable<string> | undefined {
  if (!Array.isArray(Messages)) return undefined
  const messages = Messages as readonly Json[]
  const chars = messages.reduce((sum, { Body }) => sum + (typeof Body === 'string' ? Body.length : 0), 0)
  return chars > WHOLE_CHARS_MAX ? messagePieces(messages) : undefined
}

function* messagePieces(messages: readonly Json[]): Generator<string> {
  for (const [at, message] of messages.entries()) yield `${at === 0 ? '{"Messages":[' : ','}${encodeMessage(message)}`
  yield ']}'
}

function encodeMessage({ MessageId, ReceiptHandle, MD5OfBody, Body, Attributes, MD5OfMessageAttributes, MessageAttributes }: Json): string {
  return new Writer()
    .text('MessageId', MessageId)
    .text('ReceiptHandle', ReceiptHandle)
    .text('MD5OfBody', MD5OfBody)
    .text('Body', Body)
    .raw('Attributes', isObject(Attributes) ? JSON.stringify(Attributes) : undefined)
    .text('MD5OfMessageAttributes', MD5OfMessageAttributes)
    .raw('MessageAttributes', isObject(MessageAttributes) ? encodeAttributes(MessageAttributes) : undefined).json
}

function encodeAttributes(attributes: Json): string {
  let json = ''
  for (const [name, value] of Object.entries(attributes)) {
    const { StringValue, BinaryValue, DataType } = value as Json
    const writer = new Writer().text('DataType', DataType).text('StringValue', StringValue)
    if (BinaryValue !== undefined) writer.text('BinaryValue', writeBase64(BinaryValue))
    json += `${json === '' ? '' : ','}${jsonText(name)}:${writer.json}`
  }
  return `{${json}}`
}

function list(values: unknown, encode: (value: Json) => string): string | undefined {
  if (!Array.isArray(values)) return undefined
  let json = ''
  for (const value of values as readonly Json[]) json += `${json === '' ? '' : ','}${encode(value)}`
  return `[${json}]`
}

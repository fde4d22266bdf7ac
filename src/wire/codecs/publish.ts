// Publish and PublishBatch by hand: the two calls that the server exists for. The decoders know the forms that clients send and give
// the same input as the schema codec, to which they leave everything unusual (escaped or repeated names, indexes out of order, values
// that need an error) by returning undefined. publish.test.ts holds the two codecs equal on arbitrary forms.
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'
import { wrapResult } from './aws-query.ts'
import { FormScanner } from './form.ts'
import { readBase64 } from './values.ts'
import { escapeXml } from './xml.ts'

export interface MessageAttributeInput {
  DataType?: string
  StringValue?: string
  BinaryValue?: Uint8Array
}
export interface PublishInput {
  TopicArn?: string
  TargetArn?: string
  PhoneNumber?: string
  Message?: string
  Subject?: string
  MessageStructure?: string
  MessageAttributes?: Record<string, MessageAttributeInput>
  MessageDeduplicationId?: string
  MessageGroupId?: string
}
export interface PublishEntryInput extends Omit<PublishInput, 'TopicArn' | 'TargetArn' | 'PhoneNumber'> {
  Id?: string
}
export interface PublishBatchInput {
  TopicArn?: string
  PublishBatchRequestEntries?: PublishEntryInput[]
}

const PARAMETERS_MAX = WIRE.formParametersMax
const VERSION = '2010-03-31'
const ATTRIBUTES = 'MessageAttributes.entry.'
const ENTRIES = 'PublishBatchRequestEntries.member.'

/** The input of a Publish form, or undefined when the schema codec has to look at it. */
export function decodePublish(bytes: Buffer): PublishInput | undefined {
  return guarded(() => {
    const scanner = new FormScanner(bytes)
    const input: PublishInput = {}
    const attributes = new Attributes()
    for (let count = 0; scanner.next();) {
      if (++count > PARAMETERS_MAX || !scanner.isNamePlain()) return undefined
      const name = scanner.rawName()
      if (name.startsWith(ATTRIBUTES)) {
        if (!attributes.take(scanner, name, ATTRIBUTES.length)) return undefined
        continue
      }
      switch (name) {
        case 'TopicArn':
        case 'TargetArn':
        case 'PhoneNumber':
        case 'Message':
        case 'Subject':
        case 'MessageStructure':
        case 'MessageDeduplicationId':
        case 'MessageGroupId':
          if (input[name] !== undefined) return undefined
          input[name] = scanner.value()
          break
        case 'Action':
          if (scanner.value() !== 'Publish') return undefined
          break
        case 'Version':
          if (scanner.value() !== VERSION) return undefined
          break
        default:
          return undefined
      }
    }
    if (!attributes.finish()) return undefined
    if (attributes.map !== undefined) input.MessageAttributes = attributes.map
    return input
  })
}

/** The input of a PublishBatch form, or undefined when the schema codec has to look at it. */
export function decodePublishBatch(bytes: Buffer): PublishBatchInput | undefined {
  return guarded(() => {
    const scanner = new FormScanner(bytes)
    const input: PublishBatchInput = {}
    const entries: PublishEntryInput[] = []
    let entry: PublishEntryInput | undefined
    let attributes = new Attributes()
    for (let count = 0; scanner.next();) {
      if (++count > PARAMETERS_MAX || !scanner.isNamePlain()) return undefined
      const name = scanner.rawName()
      if (!name.startsWith(ENTRIES)) {
        if (name === 'TopicArn' && input.TopicArn === undefined) input.TopicArn = scanner.value()
        else if (!(name === 'Action' && scanner.value() === 'PublishBatch') && !(name === 'Version' && scanner.value() === VERSION))
          return undefined
        continue
      }
      const dot = name.indexOf('.', ENTRIES.length)
      if (dot === -1) return undefined
      const at = readIndex(name, ENTRIES.length, dot)
      if (entry === undefined || at !== entries.length) {
        if (at !== entries.length + 1 || (entry !== undefined && !close(entry, attributes))) return undefined
        entry = {}
        entries.push(entry)
        attributes = new Attributes()
      }
      if (name.startsWith(ATTRIBUTES, dot + 1)) {
        if (!attributes.take(scanner, name, dot + 1 + ATTRIBUTES.length)) return undefined
        continue
      }
      const member = name.slice(dot + 1)
      switch (member) {
        case 'Id':
        case 'Message':
        case 'Subject':
        case 'MessageStructure':
        case 'MessageDeduplicationId':
        case 'MessageGroupId':
          if (entry[member] !== undefined) return undefined
          entry[member] = scanner.value()
          break
        default:
          return undefined
      }
    }
    if (entry === undefined || !close(entry, attributes)) return undefined
    input.PublishBatchRequestEntries = entries
    return input
  })
}

export interface PublishResult {
  readonly MessageId?: string
  readonly SequenceNumber?: string
}
export interface PublishBatchResult {
  readonly Successful?: readonly { readonly Id?: string; readonly MessageId?: string; readonly SequenceNumber?: string }[]
  readonly Failed?: readonly { readonly Id?: string; readonly Code?: string; readonly Message?: string; readonly SenderFault?: boolean }[]
}

export function encodePublish(xmlNamespace: string, output: PublishResult, requestId: string): string {
  return wrapResult(
    xmlNamespace,
    'Publish',
    element('MessageId', output.MessageId) + element('SequenceNumber', output.SequenceNumber),
    requestId,
  )
}

export function encodePublishBatch(xmlNamespace: string, { Successful, Failed }: PublishBatchResult, requestId: string): string {
  const successful = Successful?.map(({ Id, MessageId, SequenceNumber }) =>
    member(element('Id', Id) + element('MessageId', MessageId) + element('SequenceNumber', SequenceNumber)),
  )
  const failed = Failed?.map(({ Id, Code, Message, SenderFault }) =>
    member(element('Id', Id) + element('Code', Code) + element('SenderFault', SenderFault?.toString()) + element('Message', Message)),
  )
  return wrapResult(xmlNamespace, 'PublishBatch', list('Successful', successful) + list('Failed', failed), requestId)
}

/** Broken escapes and UTF-8 throw while values are read: the schema codec then says the same in its own order. */
function guarded<Result>(decode: () => Result): Result | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof ServiceError) return undefined
    throw error
  }
}

/** Collects `N.Name`, `N.Value.DataType`, ... as long as the numbers go up by one. */
class Attributes {
  map: Record<string, MessageAttributeInput> | undefined
  #at = 0
  #name: string | undefined
  #value: MessageAttributeInput = {}

  /** The parameter `name`, whose number stands at `start`; false when the schema codec has to look at it. */
  take(scanner: FormScanner, name: string, start: number): boolean {
    const dot = name.indexOf('.', start)
    if (dot === -1) return false
    const at = readIndex(name, start, dot)
    if (at !== this.#at) {
      if (at !== this.#at + 1 || (this.#at !== 0 && !this.finish())) return false
      this.#at = at
      this.#name = undefined
      this.#value = {}
    }
    const value = this.#value
    switch (name.slice(dot + 1)) {
      case 'Name':
        if (this.#name !== undefined) return false
        this.#name = scanner.value()
        return this.#name !== '__proto__'
      case 'Value.DataType':
        if (value.DataType !== undefined) return false
        value.DataType = scanner.value()
        return true
      case 'Value.StringValue':
        if (value.StringValue !== undefined) return false
        value.StringValue = scanner.value()
        return true
      case 'Value.BinaryValue':
        if (value.BinaryValue !== undefined) return false
        value.BinaryValue = readBase64(scanner.value())
        return value.BinaryValue !== undefined
      default:
        return false
    }
  }

  /** Closes the attribute that is open; false when its name is missing or not for this codec. */
  finish(): boolean {
    if (this.#at === 0) return true
    // That one would not become a key of its own: the schema codec makes it one.
    if (this.#name === undefined || this.#name === '__proto__') return false
    this.map ??= {}
    this.map[this.#name] = this.#value
    return true
  }
}

function close(entry: PublishEntryInput, attributes: Attributes): boolean {
  if (!attributes.finish()) return false
  if (attributes.map !== undefined) entry.MessageAttributes = attributes.map
  return true
}

/** A number of one to four digits without a leading zero, else NaN. */
function readIndex(text: string, start: number, end: number): number {
  if (end - start < 1 || end - start > 4 || text.charCodeAt(start) === 0x30) return Number.NaN
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

function element(name: string, value: string | undefined): string {
  if (value === undefined || value === null) return ''
  return value === '' ? `<${name}/>` : `<${name}>${escapeXml(value)}</${name}>`
}

function member(content: string): string {
  return content === '' ? '<member/>' : `<member>${content}</member>`
}

function list(name: string, members: readonly string[] | undefined): string {
  if (members === undefined) return ''
  return members.length === 0 ? `<${name}/>` : `<${name}>${members.join('')}</${name}>`
}

// Message attributes of Publish and of each batch entry: AWS's rules and texts, and their size.
import type { MessageAttributeValue } from '@aws-sdk/client-sns'
import type { MessageAttribute } from '../../model/message.ts'
import { invalidValue, validationError } from './errors.ts'

const NAME_BYTES_MAX = 256
const NAME_CHARACTER = /[A-Za-z0-9_.-]/
/** "Amazon SNS message attributes": prefixes of AWS in any case, but for what SNS itself reads of a text or a push message. */
const RESERVED = /^(aws|amazon)\./i
const DOCUMENTED = /^AWS\.(SNS\.(SMS|MOBILE)|MM\.SMS)\.[A-Za-z0-9_.-]+$/
const TYPE = /^(String|Number|Binary)(\.[^.].*)?$/s

/** Checked and in the form that is kept. `path` leads AWS's text about a null data type. */
export function attributesOf(
  given: Readonly<Record<string, MessageAttributeValue>> | undefined,
  path: string,
): { readonly attributes: Readonly<Record<string, MessageAttribute>> | undefined; readonly bytes: number } {
  if (given === undefined) return NONE
  let bytes = 0
  const attributes: (readonly [name: string, attribute: MessageAttribute])[] = []
  for (const [name, value] of Object.entries(given)) {
    checkName(name)
    const attribute = checkValue(name, value, path)
    attributes.push([name, attribute])
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.type) + (value.BinaryValue?.length ?? Buffer.byteLength(attribute.value))
  }
  // From entries: a name such as `__proto__` is one like any other.
  return { attributes: attributes.length === 0 ? undefined : Object.fromEntries(attributes), bytes }
}

const NONE = { attributes: undefined, bytes: 0 } as const

function checkName(name: string): void {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw invalidValue('Length of message attribute name must be less than 256 bytes.')
  for (const character of name)
    if (!NAME_CHARACTER.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
      throw invalidValue(
        `Invalid non-alphanumeric character '#x${code}' was found in the message attribute name. ` +
          'Can only include alphanumeric characters, hyphens, underscores, or dots.',
      )
    }
  if (name.startsWith('.')) throw invalidValue("Invalid message attribute name starting with character '.' was found.")
  if (name.endsWith('.')) throw invalidValue("Invalid message attribute name ending with character '.' was found.")
  if (name.includes('..')) throw invalidValue("Message attribute name can not have successive '.' character.")
  if (RESERVED.test(name) && !DOCUMENTED.test(name))
    throw invalidValue(`Message attribute name '${name}' begins with 'AWS.' or 'Amazon.', which are reserved; use another name.`)
}

function checkValue(name: string, value: MessageAttributeValue, path: string): MessageAttribute {
  const type = value.DataType
  if (type === undefined)
    throw validationError(
      `1 validation error detected: Value null at '${path}messageAttributes.${name}.member.dataType'` +
        ' failed to satisfy constraint: Member must not be null',
    )
  if (!TYPE.test(type))
    throw invalidValue(
      `The message attribute '${name}' has an invalid message attribute type, ` +
        'the set of supported type prefixes is Binary, Number, and String.',
    )
  const isBinary = type.startsWith('Binary')
  const { StringValue: text, BinaryValue: binary } = value
  const wanted = isBinary ? binary : text
  if ((wanted === undefined || wanted.length === 0) && (isBinary ? text : binary) !== undefined)
    throw invalidValue(`The message attribute '${name}' with type '${type}' must use field '${isBinary ? 'Binary' : 'String'}'.`)
  if (wanted === undefined || wanted.length === 0)
    throw invalidValue(
      `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${type}'.`,
    )
  if (type.startsWith('Number') && !isNumber(text ?? '')) throw invalidValue(`Could not cast message attribute '${name}' value to number.`)
  return { type, value: typeof wanted === 'string' ? wanted : Buffer.from(wanted).toString('base64') }
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)
}

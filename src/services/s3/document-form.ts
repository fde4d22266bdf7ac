// How a request's XML document stands in an event: S3 turns it into JSON as it is, so that a list is the object of its elements' name, of
// one element or of an array of them (seen in real trails: PutBucketTagging, PutBucketLifecycle).
import type { Shape } from '../../model/shape.ts'
import { s3Model } from './model.ts'
import { inHashOrder } from './parameter-order.ts'

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'
/** A HashMap that was not made from another one begins with so many places. */
const PLACES = 16

/** `value` as the document it came in, when `name` is the operation's payload. */
export function documentForm(operation: string, name: string, value: unknown): object | undefined {
  const member = s3Model().operations[operation]?.input.members[name]
  if (member?.http?.in !== 'payload' || member.shape.type !== 'structure' || typeof value !== 'object' || value === null) return undefined
  return inHashOrder({ xmlns: NAMESPACE, ...(formOf(member.shape, value) as object) }, PLACES)
}

function formOf(shape: Shape, value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (shape.type === 'list') return Array.isArray(value) ? oneOrAll(value.map((item) => formOf(shape.member, item))) : value
  if ((shape.type !== 'structure' && shape.type !== 'union') || typeof value !== 'object' || value === null) return value
  const members: Record<string, unknown> = {}
  for (const { name, wireName, flattened, shape: inner, sensitive } of shape.memberList) {
    const given = (value as Readonly<Record<string, unknown>>)[name]
    if (given === undefined || sensitive) continue
    const form = formOf(inner, given)
    members[wireName] = inner.type === 'list' && !flattened ? { [inner.memberName]: form } : form
  }
  return inHashOrder(members, PLACES)
}

function oneOrAll(items: readonly unknown[]): unknown {
  return items.length === 1 ? items[0] : items
}

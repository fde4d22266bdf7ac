// Which required members an input lacks, in the words of AWS's service framework. Apart from decoding, because a service may
// have words of its own for some of them (SNS: `Invalid parameter: TopicArn Reason: no value for required parameter`).
import { ServiceError } from './service-error.ts'
import type { OperationShape, Shape } from './shape.ts'

/** Paths as AWS writes them, first letters of members in lower case: `tags.1.member.key`, `messageAttributes.kind.member.dataType`. */
export function missingMembers(operation: OperationShape, input: Readonly<Record<string, unknown>>): string[] {
  const paths: string[] = []
  visit(operation.input, input, '', paths)
  return paths
}

/** `1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null`. */
export function nullMembersError(paths: readonly string[]): ServiceError {
  const reasons = paths.map((path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`)
  const count = `${reasons.length} validation error${reasons.length === 1 ? '' : 's'} detected`
  return new ServiceError('ValidationError', 400, `${count}: ${reasons.join('; ')}`, { shape: 'ValidationException' })
}

function visit(shape: Shape, value: unknown, path: string, paths: string[]): void {
  if (typeof value !== 'object' || value === null) return
  if (shape.type === 'list') {
    if (isSimple(shape.member) || !Array.isArray(value)) return
    for (const [at, element] of value.entries()) visit(shape.member, element, `${path}.${at + 1}.member`, paths)
  } else if (shape.type === 'map') {
    if (isSimple(shape.value)) return
    for (const [key, element] of Object.entries(value)) visit(shape.value, element, `${path}.${key}.member`, paths)
  } else if (shape.type === 'structure' || shape.type === 'union') {
    for (const member of shape.memberList) {
      if (!member.required && isSimple(member.shape)) continue
      const inner = (value as Readonly<Record<string, unknown>>)[member.name]
      const name = `${path === '' ? '' : `${path}.`}${member.name.charAt(0).toLowerCase()}${member.name.slice(1)}`
      if (inner === undefined || inner === null) {
        if (member.required) paths.push(name)
      } else if (!isSimple(member.shape)) visit(member.shape, inner, name, paths)
    }
  }
}

function isSimple(shape: Shape): boolean {
  return shape.type !== 'list' && shape.type !== 'map' && shape.type !== 'structure' && shape.type !== 'union'
}

// The restJson1 protocol: what is bound stands in path, query and headers, everything else in a JSON body. CloudTrail's data service speaks
// it. See smithy.io, "AWS restJson1 protocol".
import type { ServiceError } from '../../model/service-error.ts'
import type { OperationShape, StructureShape } from '../../model/shape.ts'
import { decodeJson, encodeJson } from './aws-json.ts'
import { readBindings, type RestRequest } from './rest-xml.ts'
import type { Input } from './values.ts'

const bodies = new WeakMap<StructureShape, StructureShape>()

/** The members that the body holds. */
function bodyOf(shape: StructureShape): StructureShape {
  let body = bodies.get(shape)
  if (body === undefined) bodies.set(shape, (body = { ...shape, memberList: shape.memberList.filter(({ http }) => http === undefined) }))
  return body
}

/** Throws SerializationException, or InvalidArgument for what stands outside the body. */
export function decodeRestJson(operation: OperationShape, request: RestRequest): Input {
  const { body = Buffer.alloc(0) } = request
  return { ...decodeJson({ ...operation, input: bodyOf(operation.input) }, body), ...readBindings(operation.input, request) }
}

export function encodeRestJson(operation: OperationShape, output: Readonly<Record<string, unknown>>): string {
  return encodeJson(operation, output)
}

/** The body; the error's name goes into the header x-amzn-ErrorType. */
export function encodeRestJsonError({ details, message }: ServiceError): string {
  return JSON.stringify({ ...details, message })
}

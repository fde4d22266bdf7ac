// ARNs of platform applications and endpoints in requests, and the rows they name.
import { parseArn } from '../../../model/arn.ts'
import { type PlatformApplication, type PlatformEndpoint, readApplicationArn } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { Call } from '../../../engine/operation.ts'
import { findEndpoint } from '../../../engine/platform-endpoints.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { checkArn } from '../arns.ts'
import { invalidParameter, notFound } from '../errors.ts'

const SLASHES = 'Reason: Wrong number of slashes in relative portion of the ARN.'

export function applicationArnOf(text: string | undefined, call: Call): string {
  const arn = checkArn(text, 'PlatformApplicationArn')
  if (readApplicationArn(arn) === undefined) throw invalidParameter(`PlatformApplicationArn ${SLASHES}`)
  return checkPlace(arn, call, 'PlatformApplicationArn')
}

export function endpointArnOf(text: string | undefined, call: Call, parameter = 'EndpointArn'): string {
  const arn = checkArn(text, parameter)
  const [kind, ...parts] = parseArn(arn)?.resource.split('/') ?? []
  if (kind !== 'endpoint' || parts.length !== 3) throw invalidParameter(`${parameter} ${SLASHES}`)
  if (!/^[0-9a-f-]{36}$/i.test(parts[2] ?? ''))
    throw invalidParameter(`${parameter} Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters.`)
  return checkPlace(arn, call, parameter)
}

export function requireApplication(tables: TableReader, applicationArn: string): PlatformApplication {
  const application = tables.get(Table.platformApplications, applicationArn)
  if (application === undefined) throw notFound('PlatformApplication')
  return application
}

export function requireEndpoint(tables: TableReader, endpointArn: string): PlatformEndpoint {
  const endpoint = findEndpoint(tables, endpointArn)
  if (endpoint === undefined) throw notFound('Endpoint')
  return endpoint
}

function checkPlace(arn: string, call: Call, parameter: string): string {
  const parsed = parseArn(arn)
  if (parsed?.service !== 'sns' || parsed.region !== call.region) throw invalidParameter(parameter)
  return arn
}

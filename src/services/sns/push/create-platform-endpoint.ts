// CreatePlatformEndpoint: an app on a device joins. Idempotent for a token with the same attributes; with others AWS names the endpoint.
import type { CreateEndpointResponse, CreatePlatformEndpointInput } from '@aws-sdk/client-sns'
import { type PlatformApplication, type PlatformEndpoint, endpointsPrefix, tokenKey } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { HIDDEN } from '../../../engine/audit.ts'
import { invalidParameter } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { type EndpointChange, changedEndpoint, checkToken, readEndpointAttributes } from './endpoint-attributes.ts'
import { findEndpoint } from '../../../engine/platform-endpoints.ts'
import { applicationArnOf, requireApplication } from './platform-arns.ts'
import { tellEvent } from './platform-events.ts'
import { hiddenAttributes } from './recorded.ts'

export const createPlatformEndpoint: SnsOperation<CreatePlatformEndpointInput, CreateEndpointResponse> = (parts) => ({
  name: 'CreatePlatformEndpoint',
  access: 'write',
  resource: (input, call) => applicationArnOf(input.PlatformApplicationArn, call),
  record: {
    parameters: (input) => ({
      platformApplicationArn: input.PlatformApplicationArn,
      token: input.Token === undefined ? undefined : HIDDEN,
      customUserData: input.CustomUserData === undefined ? undefined : HIDDEN,
      attributes: hiddenAttributes(input.Attributes),
    }),
  },
  run(tx, input, call) {
    const application = requireApplication(tx, applicationArnOf(input.PlatformApplicationArn, call))
    const { applicationArn, platform } = application
    const token = checkToken(platform, input.Token ?? '', (problem) => invalidParameter(`Token Reason: ${problem}`))
    const change = readEndpointAttributes(platform, {
      ...(input.CustomUserData !== undefined && { CustomUserData: input.CustomUserData }),
      ...input.Attributes,
    })
    const existing = endpointOfToken(tx, application, change.token ?? token)
    if (existing !== undefined) {
      if (!isEqual(existing, change)) throw sameToken(existing)
      return { EndpointArn: existing.endpointArn }
    }
    const endpointArn = endpointsPrefix(applicationArn) + call.env.random.uuid()
    const { generation } = application
    const endpoint = changedEndpoint({ endpointArn, applicationArn, generation, createdAt: tx.now, token, isEnabled: true }, change)
    tx.put(Table.platformEndpoints, endpointArn, endpoint)
    tx.put(Table.endpointTokens, tokenKey(applicationArn, endpoint.token), { endpointArn })
    tellEvent(tx, call, parts, application, endpoint, 'EndpointCreated')
    return { EndpointArn: endpointArn }
  },
})

export function endpointOfToken(tables: TableReader, application: PlatformApplication, token: string): PlatformEndpoint | undefined {
  const row = tables.get(Table.endpointTokens, tokenKey(application.applicationArn, token))
  const endpoint = row && findEndpoint(tables, row.endpointArn)
  return endpoint?.token === token ? endpoint : undefined
}

export function sameToken({ endpointArn }: PlatformEndpoint): Error {
  return invalidParameter(`Token Reason: Endpoint ${endpointArn} already exists with the same Token, but different attributes.`)
}

/** An endpoint may have been disabled meanwhile: it counts only where the call says something of it. */
function isEqual(endpoint: PlatformEndpoint, { isEnabled, customUserData }: EndpointChange): boolean {
  return (isEnabled === undefined || isEnabled === endpoint.isEnabled) && (customUserData ?? '') === (endpoint.customUserData ?? '')
}

// DeleteEndpoint: idempotent. Subscriptions of the endpoint stay, as on AWS.
import type { DeleteEndpointInput } from '@aws-sdk/client-sns'
import { tokenKey } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { findEndpoint } from '../../../engine/platform-endpoints.ts'
import { endpointArnOf, requireApplication } from './platform-arns.ts'
import { tellEvent } from './platform-events.ts'

export const deleteEndpoint: SnsOperation<DeleteEndpointInput, undefined> = (parts) => ({
  name: 'DeleteEndpoint',
  access: 'write',
  resource: (input, call) => endpointArnOf(input.EndpointArn, call),
  run(tx, input, call) {
    const endpoint = findEndpoint(tx, endpointArnOf(input.EndpointArn, call))
    if (endpoint === undefined) return undefined
    tx.delete(Table.platformEndpoints, endpoint.endpointArn)
    tx.delete(Table.endpointTokens, tokenKey(endpoint.applicationArn, endpoint.token))
    tellEvent(tx, call, parts, requireApplication(tx, endpoint.applicationArn), endpoint, 'EndpointDeleted')
    return undefined
  },
})

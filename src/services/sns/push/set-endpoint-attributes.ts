// SetEndpointAttributes: what is named is replaced; a token belongs to one endpoint of an application.
import type { SetEndpointAttributesInput } from '@aws-sdk/client-sns'
import { tokenKey } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import { requireMembers } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { endpointOfToken, sameToken } from './create-platform-endpoint.ts'
import { changedEndpoint, readEndpointAttributes } from './endpoint-attributes.ts'
import { endpointArnOf, requireApplication, requireEndpoint } from './platform-arns.ts'
import { tellEvent } from './platform-events.ts'
import { hiddenAttributes } from './recorded.ts'

export const setEndpointAttributes: SnsOperation<SetEndpointAttributesInput, undefined> = (parts) => ({
  name: 'SetEndpointAttributes',
  access: 'write',
  resource: (input, call) => endpointArnOf(input.EndpointArn, call),
  record: { parameters: ({ EndpointArn: endpointArn, Attributes }) => ({ endpointArn, attributes: hiddenAttributes(Attributes) }) },
  run(tx, input, call) {
    const given = requireMembers(input.Attributes, 'attributes')
    const endpoint = requireEndpoint(tx, endpointArnOf(input.EndpointArn, call))
    const application = requireApplication(tx, endpoint.applicationArn)
    const changed = changedEndpoint(endpoint, readEndpointAttributes(application.platform, given))
    if (changed.token !== endpoint.token) {
      const other = endpointOfToken(tx, application, changed.token)
      if (other !== undefined) throw sameToken(other)
      tx.delete(Table.endpointTokens, tokenKey(application.applicationArn, endpoint.token))
      tx.put(Table.endpointTokens, tokenKey(application.applicationArn, changed.token), { endpointArn: changed.endpointArn })
    }
    tx.put(Table.platformEndpoints, changed.endpointArn, changed)
    tellEvent(tx, call, parts, application, changed, 'EndpointUpdated')
    return undefined
  },
})

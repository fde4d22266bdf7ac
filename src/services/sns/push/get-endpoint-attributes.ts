// GetEndpointAttributes.
import type { GetEndpointAttributesInput, GetEndpointAttributesResponse } from '@aws-sdk/client-sns'
import { endpointAttributes } from '../../../model/platform.ts'
import type { SnsOperation } from '../operation.ts'
import { endpointArnOf, requireEndpoint } from './platform-arns.ts'

export const getEndpointAttributes: SnsOperation<GetEndpointAttributesInput, GetEndpointAttributesResponse> = () => ({
  name: 'GetEndpointAttributes',
  access: 'read',
  resource: (input, call) => endpointArnOf(input.EndpointArn, call),
  run: (tx, input, call) => ({ Attributes: endpointAttributes(requireEndpoint(tx, endpointArnOf(input.EndpointArn, call))) }),
})

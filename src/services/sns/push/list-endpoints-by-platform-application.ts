// ListEndpointsByPlatformApplication: a hundred at a time.
import type { ListEndpointsByPlatformApplicationInput, ListEndpointsByPlatformApplicationResponse } from '@aws-sdk/client-sns'
import { endpointAttributes, endpointsPrefix } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { readPage } from '../paging.ts'
import { isOf } from '../../../engine/platform-endpoints.ts'
import { applicationArnOf, requireApplication } from './platform-arns.ts'

export const listEndpointsByPlatformApplication: SnsOperation<
  ListEndpointsByPlatformApplicationInput,
  ListEndpointsByPlatformApplicationResponse
> = () => ({
  name: 'ListEndpointsByPlatformApplication',
  access: 'read',
  resource: (input, call) => applicationArnOf(input.PlatformApplicationArn, call),
  run(tx, input, call) {
    const application = requireApplication(tx, applicationArnOf(input.PlatformApplicationArn, call))
    const { values, NextToken } = readPage(tx, call, Table.platformEndpoints, {
      prefix: endpointsPrefix(application.applicationArn),
      token: input.NextToken,
      keep: (endpoint) => isOf(endpoint, application),
    })
    return { Endpoints: values.map((value) => ({ EndpointArn: value.endpointArn, Attributes: endpointAttributes(value) })), NextToken }
  },
})

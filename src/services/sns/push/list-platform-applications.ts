// ListPlatformApplications: the account's in the region, a hundred at a time.
import type { ListPlatformApplicationsInput, ListPlatformApplicationsResponse } from '@aws-sdk/client-sns'
import { applicationsPrefix } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { readPage } from '../paging.ts'

export const listPlatformApplications: SnsOperation<ListPlatformApplicationsInput, ListPlatformApplicationsResponse> = () => ({
  name: 'ListPlatformApplications',
  access: 'read',
  run(tx, input, call) {
    const { values, NextToken } = readPage(tx, call, Table.platformApplications, {
      prefix: applicationsPrefix(call),
      token: input.NextToken,
    })
    const told = values.map(({ applicationArn, attributes }) => ({ PlatformApplicationArn: applicationArn, Attributes: { ...attributes } }))
    return { PlatformApplications: told, NextToken }
  },
})

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
    const { rows, NextToken } = readPage(tx, Table.platformApplications, {
      seal: call.env.seal,
      prefix: applicationsPrefix(call),
      token: input.NextToken,
    })
    return {
      PlatformApplications: rows.map(({ value }) => ({
        PlatformApplicationArn: value.applicationArn,
        Attributes: { ...value.attributes },
      })),
      NextToken,
    }
  },
})

// DeletePlatformApplication: idempotent. Its endpoints are gone with it; a sweep takes their rows away.
import type { DeletePlatformApplicationInput } from '@aws-sdk/client-sns'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { applicationArnOf } from './platform-arns.ts'

export const deletePlatformApplication: SnsOperation<DeletePlatformApplicationInput, undefined> = () => ({
  name: 'DeletePlatformApplication',
  access: 'write',
  resource: (input, call) => applicationArnOf(input.PlatformApplicationArn, call),
  run(tx, input, call) {
    const applicationArn = applicationArnOf(input.PlatformApplicationArn, call)
    if (tx.get(Table.platformApplications, applicationArn) !== undefined) tx.delete(Table.platformApplications, applicationArn)
    return undefined
  },
})

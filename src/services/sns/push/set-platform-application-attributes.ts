// SetPlatformApplicationAttributes: what is named is replaced, an empty value clears; credentials come together.
import type { SetPlatformApplicationAttributesInput } from '@aws-sdk/client-sns'
import { Table } from '../../../model/tables.ts'
import { requireMembers } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { changedApplication, checkCredentials, readApplicationAttributes } from './application-attributes.ts'
import { applicationArnOf, requireApplication } from './platform-arns.ts'
import { hiddenAttributes } from './recorded.ts'

export const setPlatformApplicationAttributes: SnsOperation<SetPlatformApplicationAttributesInput, undefined> = (parts) => ({
  name: 'SetPlatformApplicationAttributes',
  access: 'write',
  resource: (input, call) => applicationArnOf(input.PlatformApplicationArn, call),
  record: {
    parameters: ({ PlatformApplicationArn: platformApplicationArn, Attributes }) => ({
      platformApplicationArn,
      attributes: hiddenAttributes(Attributes),
    }),
  },
  run(tx, input, call) {
    const given = requireMembers(input.Attributes, 'attributes')
    const application = requireApplication(tx, applicationArnOf(input.PlatformApplicationArn, call))
    const change = readApplicationAttributes(tx, application.applicationArn, application.platform, given)
    const changed = changedApplication(application, change, call.env.seal)
    checkCredentials(parts, changed, change, call.env.seal)
    tx.put(Table.platformApplications, application.applicationArn, changed)
    return undefined
  },
})

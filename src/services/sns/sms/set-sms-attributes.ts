// SetSMSAttributes: what is named is replaced, an empty value clears.
import type { SetSMSAttributesInput, SetSMSAttributesResponse } from '@aws-sdk/client-sns'
import { smsAccountKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { requireMembers } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { checkSmsAttributes } from './sms-attributes.ts'

export const setSMSAttributes: SnsOperation<SetSMSAttributesInput, SetSMSAttributesResponse> = () => ({
  name: 'SetSMSAttributes',
  access: 'write',
  run(tx, input, call) {
    const given = requireMembers(input.attributes, 'attributes')
    checkSmsAttributes(tx, given)
    const known = tx.get(Table.smsAccounts, smsAccountKey(call))
    const all = Object.entries({ ...known?.attributes, ...given }).filter(([, value]) => value !== '')
    tx.put(Table.smsAccounts, smsAccountKey(call), { ...known, attributes: Object.fromEntries(all) })
    return {}
  },
})

// GetSMSAttributes: all of them, or those that are asked for.
import type { GetSMSAttributesInput, GetSMSAttributesResponse } from '@aws-sdk/client-sns'
import { smsAccountKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { readSmsAttributes } from './sms-attributes.ts'

export const getSMSAttributes: SnsOperation<GetSMSAttributesInput, GetSMSAttributesResponse> = () => ({
  name: 'GetSMSAttributes',
  access: 'read',
  run: (tx, input, call) => ({
    attributes: readSmsAttributes(tx.get(Table.smsAccounts, smsAccountKey(call)), input.attributes ?? []),
  }),
})

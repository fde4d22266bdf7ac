// ListPhoneNumbersOptedOut: the account's opt-out list, a hundred at a time.
import type { ListPhoneNumbersOptedOutInput, ListPhoneNumbersOptedOutResponse } from '@aws-sdk/client-sns'
import { optOutPrefix } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import type { SnsOperation } from '../operation.ts'
import { readPage } from '../paging.ts'

export const listPhoneNumbersOptedOut: SnsOperation<ListPhoneNumbersOptedOutInput, ListPhoneNumbersOptedOutResponse> = () => ({
  name: 'ListPhoneNumbersOptedOut',
  access: 'read',
  run(tx, input, call) {
    const { values, NextToken: nextToken } = readPage(tx, call, Table.smsNumbers, {
      prefix: optOutPrefix(call.account),
      token: input.nextToken,
      keep: (row) => row.kind === 'opted-out' && row.optedOutAt !== undefined,
    })
    return { phoneNumbers: values.map(({ phoneNumber }) => phoneNumber), nextToken }
  },
})

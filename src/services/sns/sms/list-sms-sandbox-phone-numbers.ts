// ListSMSSandboxPhoneNumbers: the numbers of the account's sandbox, and which of them are verified.
import type { ListSMSSandboxPhoneNumbersInput, ListSMSSandboxPhoneNumbersResult } from '@aws-sdk/client-sns'
import { sandboxPrefix } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { checkRange } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { readPage } from '../paging.ts'

const PAGE_MAX = 100

export const listSMSSandboxPhoneNumbers: SnsOperation<ListSMSSandboxPhoneNumbersInput, ListSMSSandboxPhoneNumbersResult> = () => ({
  name: 'ListSMSSandboxPhoneNumbers',
  access: 'read',
  run(tx, input, call) {
    const { values, NextToken } = readPage(tx, call, Table.smsNumbers, {
      prefix: sandboxPrefix(call),
      token: input.NextToken,
      max: checkRange(input.MaxResults ?? PAGE_MAX, 'maxResults', 1, PAGE_MAX),
    })
    const PhoneNumbers = values.flatMap((number) =>
      number.kind === 'sandbox' ? [{ PhoneNumber: number.phoneNumber, Status: number.status }] : [],
    )
    return { PhoneNumbers, NextToken }
  },
})

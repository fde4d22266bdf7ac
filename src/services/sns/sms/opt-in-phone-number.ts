// OptInPhoneNumber: takes a number off the opt-out list; one that is not there is no error.
import type { OptInPhoneNumberInput, OptInPhoneNumberResponse } from '@aws-sdk/client-sns'
import { optOutKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { invalidParameter } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { findOptOut, phoneNumberOf } from './phone-number.ts'

export const optInPhoneNumber: SnsOperation<OptInPhoneNumberInput, OptInPhoneNumberResponse> = ({ limits }) => ({
  name: 'OptInPhoneNumber',
  access: 'write',
  run(tx, input, call) {
    const number = phoneNumberOf(input.phoneNumber)
    const row = findOptOut(tx, call.account, number)
    if (row?.optedOutAt === undefined) return {}
    if (limits !== undefined && row.optedInAt !== undefined && tx.now - row.optedInAt < limits.optInPauseMs)
      throw invalidParameter('PhoneNumber Reason: a number can be opted in once in 30 days')
    const { phoneNumber } = row
    tx.put(Table.smsNumbers, optOutKey(call.account, number), { kind: 'opted-out', phoneNumber, optedInAt: tx.now })
    return {}
  },
})

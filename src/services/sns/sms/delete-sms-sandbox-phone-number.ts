// DeleteSMSSandboxPhoneNumber: takes a number off the account's sandbox list.
import type { DeleteSMSSandboxPhoneNumberInput, DeleteSMSSandboxPhoneNumberResult } from '@aws-sdk/client-sns'
import { sandboxKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { resourceNotFound } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { sandboxNumberOf } from './phone-number.ts'

export const deleteSMSSandboxPhoneNumber: SnsOperation<DeleteSMSSandboxPhoneNumberInput, DeleteSMSSandboxPhoneNumberResult> = () => ({
  name: 'DeleteSMSSandboxPhoneNumber',
  access: 'write',
  run(tx, input, call) {
    const key = sandboxKey(call, sandboxNumberOf(input.PhoneNumber))
    if (tx.get(Table.smsNumbers, key) === undefined) throw resourceNotFound()
    tx.delete(Table.smsNumbers, key)
    return {}
  },
})

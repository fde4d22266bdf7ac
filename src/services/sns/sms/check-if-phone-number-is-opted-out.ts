// CheckIfPhoneNumberIsOptedOut: whether a number is on the account's opt-out list.
import type { CheckIfPhoneNumberIsOptedOutInput, CheckIfPhoneNumberIsOptedOutResponse } from '@aws-sdk/client-sns'
import type { SnsOperation } from '../operation.ts'
import { findOptOut, phoneNumberOf } from './phone-number.ts'

export const checkIfPhoneNumberIsOptedOut: SnsOperation<CheckIfPhoneNumberIsOptedOutInput, CheckIfPhoneNumberIsOptedOutResponse> = () => ({
  name: 'CheckIfPhoneNumberIsOptedOut',
  access: 'read',
  run: (tx, input, call) => ({
    isOptedOut: findOptOut(tx, call.account, phoneNumberOf(input.phoneNumber))?.optedOutAt !== undefined,
  }),
})

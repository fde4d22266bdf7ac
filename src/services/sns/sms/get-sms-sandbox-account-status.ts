// GetSMSSandboxAccountStatus: whether the account may text verified numbers alone. Without a provider it may: there is nobody to ask.
import type { GetSMSSandboxAccountStatusInput, GetSMSSandboxAccountStatusResult } from '@aws-sdk/client-sns'
import type { SnsOperation } from '../operation.ts'

export const getSMSSandboxAccountStatus: SnsOperation<GetSMSSandboxAccountStatusInput, GetSMSSandboxAccountStatusResult> = ({ sms }) => ({
  name: 'GetSMSSandboxAccountStatus',
  access: 'read',
  run: (_tx, _input, call) => ({ IsInSandbox: sms?.isInSandbox(call.account) ?? true }),
})

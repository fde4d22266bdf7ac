// VerifySMSSandboxPhoneNumber: the code that was sent to the number comes back.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { VerifySMSSandboxPhoneNumberInput, VerifySMSSandboxPhoneNumberResult } from '@aws-sdk/client-sns'
import { sandboxCodeContext, sandboxKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { HIDDEN } from '../../../engine/audit.ts'
import { type Unfit, resourceNotFound, unfitMembers, verificationFailed } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { sandboxNumberOf } from './phone-number.ts'
import { WRONG_CODES_MAX } from './verification.ts'

const GUESSED_MAX = 10_000

export const verifySMSSandboxPhoneNumber: SnsOperation<VerifySMSSandboxPhoneNumberInput, VerifySMSSandboxPhoneNumberResult> = () => {
  /** Wrong codes by the sealed right one. In memory: a refused call changes no record. */
  const guessed = new Map<string, number>()
  return {
    name: 'VerifySMSSandboxPhoneNumber',
    access: 'write',
    record: { hidden: { OneTimePassword: HIDDEN } },
    run(tx, input, { env, account, region }) {
      const phoneNumber = sandboxNumberOf(input.PhoneNumber)
      const code = checkCode(input.OneTimePassword ?? '')
      const key = sandboxKey({ account, region }, phoneNumber)
      const number = tx.get(Table.smsNumbers, key)
      if (number?.kind !== 'sandbox') throw resourceNotFound()
      const { sealedCode, codeExpiresAt, ...others } = number
      if (sealedCode === undefined || (codeExpiresAt ?? 0) <= tx.now) throw verificationFailed()
      const wrong = guessed.get(sealedCode) ?? 0
      if (wrong >= WRONG_CODES_MAX || !isEqual(code, env.seal.open(sealedCode, sandboxCodeContext(number)))) {
        if (guessed.size >= GUESSED_MAX) guessed.clear()
        guessed.set(sealedCode, wrong + 1)
        throw verificationFailed()
      }
      guessed.delete(sealedCode)
      tx.put(Table.smsNumbers, key, { ...others, status: 'Verified' })
      return {}
    },
  }
}

function checkCode(code: string): string {
  const unfit: Unfit[] = []
  const fault = (constraint: string) => unfit.push({ value: code, path: 'oneTimePassword', constraint, isPersonal: true })
  if (code.length < 5) fault('Member must have length greater than or equal to 5')
  if (code.length > 8) fault('Member must have length less than or equal to 8')
  if (!/^[0-9]+$/.test(code)) fault('Member must satisfy regular expression pattern: ^[0-9]+$')
  if (unfit.length > 0) throw unfitMembers(unfit)
  return code
}

function isEqual(given: string, known: string): boolean {
  const [one, other] = [given, known].map((text) => createHash('sha256').update(text).digest())
  return one !== undefined && other !== undefined && timingSafeEqual(one, other)
}

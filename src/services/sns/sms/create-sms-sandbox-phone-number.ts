// CreateSMSSandboxPhoneNumber: sends a code to a number, which is verified by it. Sent before it is kept: a number that could not be
// texted is not on the list.
import type { CreateSMSSandboxPhoneNumberInput, CreateSMSSandboxPhoneNumberResult } from '@aws-sdk/client-sns'
import { canonicalNumber, sandboxCodeContext, sandboxKey, sandboxPrefix, smsAccountKey, smsSettings } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { optedOut, unfitMembers, userError } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import { findOptOut, sandboxNumberOf } from './phone-number.ts'
import { CODE_LIFE_MS, LANGUAGES, LANGUAGE_DEFAULT, createCode, verificationText } from './verification.ts'

export const createSMSSandboxPhoneNumber: SnsOperation<CreateSMSSandboxPhoneNumberInput, CreateSMSSandboxPhoneNumberResult, string> = ({
  sms,
  limits,
}) => ({
  name: 'CreateSMSSandboxPhoneNumber',
  access: 'write',
  async prepare({ env, account, region, requestId }, input) {
    const phoneNumber = sandboxNumberOf(input.PhoneNumber)
    const language = checkLanguage(input.LanguageCode ?? LANGUAGE_DEFAULT)
    if (findOptOut(env.tables, account, phoneNumber)?.optedOutAt !== undefined) throw optedOut()
    const place = { account, region }
    if (limits !== undefined && env.tables.get(Table.smsNumbers, sandboxKey(place, phoneNumber)) === undefined) {
      const { length } = env.tables.range(Table.smsNumbers, { prefix: sandboxPrefix(place), limit: limits.sandboxNumbersMax })
      if (length >= limits.sandboxNumbersMax) throw userError(`The sandbox holds at most ${limits.sandboxNumbersMax} phone numbers`)
    }
    if (sms === undefined)
      throw userError('Nothing sends SMS here, so that no verification code can reach the phone number: set sms.provider')
    const code = createCode(env.random)
    const { senderId } = smsSettings(env.tables.get(Table.smsAccounts, smsAccountKey(place)))
    const text = verificationText(language, code)
    const to = canonicalNumber(phoneNumber)
    const outcome = await sms.send({ ...place, messageId: requestId, to, text, type: 'Transactional', senderId, isVerification: true })
    if (outcome.kind !== 'delivered') throw userError(`The verification code could not be sent: ${outcome.reason}`)
    return code
  },
  run(tx, input, { env, account, region }, code) {
    const number = { kind: 'sandbox', account, region, phoneNumber: sandboxNumberOf(input.PhoneNumber) } as const
    tx.put(Table.smsNumbers, sandboxKey(number, number.phoneNumber), {
      ...number,
      status: 'Pending',
      sealedCode: env.seal.seal(code, sandboxCodeContext(number)),
      codeExpiresAt: tx.now + CODE_LIFE_MS,
    })
    return {}
  },
})

function checkLanguage(language: string): string {
  if (LANGUAGES.includes(language)) return language
  const constraint = `Member must satisfy enum value set: [${LANGUAGES.join(', ')}]`
  throw unfitMembers([{ value: language, path: 'languageCode', constraint }])
}

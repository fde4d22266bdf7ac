// Phone numbers in requests. What AWS says of a malformed one may quote it; the event of the call does not.
import { isPhoneNumber, optOutKey, type OptedOutNumber } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { type Unfit, invalidParameter, unfitMembers } from '../errors.ts'

const SANDBOX_NUMBER = /^(\+[0-9]{8,}|[0-9]{0,9})$/
const SANDBOX_CHARS_MAX = 20

/** A number as the opt-out list has it. */
export function phoneNumberOf(text: string | undefined): string {
  if (text === undefined || !isPhoneNumber(text)) throw invalidParameter('PhoneNumber Reason: input incorrectly formatted')
  return text
}

/** The row of a number that is or was on the account's opt-out list. */
export function findOptOut(tables: TableReader, account: string, phoneNumber: string): OptedOutNumber | undefined {
  const row = tables.get(Table.smsNumbers, optOutKey(account, phoneNumber))
  return row?.kind === 'opted-out' ? row : undefined
}

/** A number as the sandbox takes it. */
export function sandboxNumberOf(text = ''): string {
  const unfit: Unfit[] = []
  const fault = (constraint: string) => unfit.push({ value: text, path: 'phoneNumber', constraint, isPersonal: true })
  if (text.length > SANDBOX_CHARS_MAX) fault(`Member must have length less than or equal to ${SANDBOX_CHARS_MAX}`)
  if (!SANDBOX_NUMBER.test(text)) fault(`Member must satisfy regular expression pattern: ${SANDBOX_NUMBER.source}`)
  if (unfit.length > 0) throw unfitMembers(unfit)
  return text
}

// The SMS attributes of an account in a region.
import { SPEND_LIMIT_DEFAULT, type SmsAccount } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { invalidParameter, invalidParameterPlain } from '../errors.ts'
import { feedbackProblem } from '../feedback.ts'

/** Whether a value is one; an empty one clears. */
const FITS: Readonly<Record<string, (value: string) => boolean>> = {
  MonthlySpendLimit: (value) => /^\d{1,9}$/.test(value),
  DefaultSenderID: (value) => /^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/.test(value),
  DefaultSMSType: (value) => value === 'Promotional' || value === 'Transactional',
  DeliveryStatusIAMRole: (value) => feedbackProblem('RoleArn', value) === undefined,
  DeliveryStatusSuccessSamplingRate: (value) => feedbackProblem('SampleRate', value) === undefined,
  UsageReportS3Bucket: () => true,
}
/** Those that AWS has and whose effect this version does not offer. */
const NOT_OFFERED: ReadonlySet<string> = new Set(['UsageReportS3Bucket'])

/** Quirk: these refusals bear no "Invalid parameter:" (recorded against AWS); that of the bucket does. */
export function checkSmsAttributes(tables: TableReader, given: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(given)) if (!Object.hasOwn(FITS, name)) throw invalidParameterPlain(`${name} is not a valid attribute`)
  for (const [name, value] of Object.entries(given)) {
    if (value !== '' && FITS[name]?.(value) !== true) throw invalidParameterPlain(`${name} is invalid`)
    if (name === 'UsageReportS3Bucket' && value !== '' && tables.get(Table.buckets, value) === undefined)
      throw invalidParameter('UsageReportS3Bucket Reason: The bucket you provided does not exist')
    if (value !== '' && NOT_OFFERED.has(name)) throw invalidParameterPlain(`${name} is not offered by this version of Sealcast`)
  }
}

/** As AWS tells them; `names`: those that are asked for, all when empty. */
export function readSmsAttributes(account: SmsAccount | undefined, names: readonly string[]): Record<string, string> {
  const all = { MonthlySpendLimit: SPEND_LIMIT_DEFAULT, ...account?.attributes }
  return names.length === 0 ? all : Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)))
}

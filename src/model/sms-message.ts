// What the attributes of a message say of a text: who it comes from, what it may cost.
// Source: SNS developer guide, "Publishing SMS messages to a mobile phone", "Reserved attributes".
import type { MessageAttribute } from './message.ts'
import type { SmsType } from './sms.ts'

export interface TextAttributes {
  readonly senderId?: string
  readonly type?: SmsType
  /** US dollars that the text may cost. */
  readonly maxPriceUsd?: number
  readonly originationNumber?: string
}

interface Rule {
  readonly fits: RegExp
  /** What stands behind the attribute's name. */
  readonly problem: string
}

const RULES: Readonly<Record<string, Rule>> = {
  'AWS.SNS.SMS.SenderID': {
    fits: /^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/,
    problem: 'must have 1 to 11 letters, digits or hyphens, and at least one letter',
  },
  'AWS.SNS.SMS.SMSType': { fits: /^(Promotional|Transactional)$/, problem: 'must be Promotional or Transactional' },
  'AWS.SNS.SMS.MaxPrice': { fits: /^\d{1,9}(\.\d{1,9})?$/, problem: 'must be an amount of US dollars' },
  'AWS.MM.SMS.OriginationNumber': { fits: /^\+?\d{5,14}$/, problem: 'must be a number of 5 to 14 digits' },
}

/** Those that say something of a text, or the problem of the first that is none: what stands behind AWS's "Invalid parameter: ". */
export function readTextAttributes(given: Readonly<Record<string, MessageAttribute>>): TextAttributes & { readonly problem?: string } {
  for (const [name, { fits, problem }] of Object.entries(RULES)) {
    const value = given[name]?.value
    if (value !== undefined && !fits.test(value)) return { problem: `MessageAttributes Reason: ${name} ${problem}` }
  }
  const valueOf = (name: string): string | undefined => given[name]?.value
  const senderId = valueOf('AWS.SNS.SMS.SenderID')
  const originationNumber = valueOf('AWS.MM.SMS.OriginationNumber')
  const type = valueOf('AWS.SNS.SMS.SMSType')
  const maxPrice = valueOf('AWS.SNS.SMS.MaxPrice')
  return {
    ...(senderId !== undefined && { senderId }),
    ...((type === 'Promotional' || type === 'Transactional') && { type }),
    ...(maxPrice !== undefined && { maxPriceUsd: Number(maxPrice) }),
    ...(originationNumber !== undefined && { originationNumber }),
  }
}

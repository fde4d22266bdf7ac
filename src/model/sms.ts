// SMS: what an account has set, whom it may text, and what it may spend. SNS's operations keep these rows; whoever sends a text asks here
// first. Phone numbers are what tells of a person: they stand in records alone, never in an event or a log.

/** Of an account in a region. */
export interface SmsAccount {
  /** By AWS's names (MonthlySpendLimit, DefaultSenderID, DefaultSMSType), as texts; what was never set is absent. */
  readonly attributes: Readonly<Record<string, string>>
  /** What was spent in the newest month with any, in millionths of a US dollar. */
  readonly spent?: { readonly month: string; readonly microUsd: number }
}

/** A number that once asked for no more texts from the account. */
export interface OptedOutNumber {
  readonly kind: 'opted-out'
  readonly phoneNumber: string
  /** Undefined once it was opted in again. */
  readonly optedOutAt?: number
  readonly optedInAt?: number
}

/** A number that an account in the SMS sandbox may text, once it is verified. */
export interface SandboxNumber {
  readonly kind: 'sandbox'
  readonly account: string
  readonly region: string
  readonly phoneNumber: string
  readonly status: 'Pending' | 'Verified'
  /** The code that was sent there; absent once verified. */
  readonly sealedCode?: string
  readonly codeExpiresAt?: number
}

export type SmsNumber = OptedOutNumber | SandboxNumber
export type SmsType = 'Promotional' | 'Transactional'

type Place = { readonly account: string; readonly region: string }

/** AWS's own for an account that set nothing, in US dollars. */
export const SPEND_LIMIT_DEFAULT = '1'

export function smsAccountKey({ account, region }: Place): string {
  return `${account}/${region}`
}

/** Opting out holds for the account in every region. */
export function optOutPrefix(account: string): string {
  return `${account}/opted-out/`
}

export function optOutKey(account: string, phoneNumber: string): string {
  return optOutPrefix(account) + canonicalNumber(phoneNumber)
}

export function sandboxPrefix({ account, region }: Place): string {
  return `${account}/sandbox/${region}/`
}

export function sandboxKey(place: Place, phoneNumber: string): string {
  return sandboxPrefix(place) + phoneNumber
}

/** What a verification code is sealed for. */
export function sandboxCodeContext(number: Pick<SandboxNumber, 'account' | 'region' | 'phoneNumber'>): string {
  return `verification of ${sandboxKey(number, number.phoneNumber)}`
}

/** "Publishing SMS messages to a mobile phone with Amazon SNS": longer texts are not sent. */
export const SMS_BYTES_MAX = 1600

/** Under what the texts lie that an account publishes straight to numbers; AWS names their log group so. */
export function smsSender({ partition, region, account }: Place & { readonly partition: string }): string {
  return `arn:${partition}:sns:${region}:${account}:DirectPublishToPhoneNumber`
}

/** E.164, the plus sign optional. */
export function isPhoneNumber(text: string): boolean {
  return /^\+?[1-9]\d{1,14}$/.test(text)
}

/** As isPhoneNumber, with single separators between digits, which AWS takes for a subscription. */
export function isSmsEndpoint(text: string): boolean {
  return /^\+?\d+([-./ ]\d+)*$/.test(text) && isPhoneNumber(canonicalNumber(text))
}

/** A plus sign and digits. */
export function canonicalNumber(text: string): string {
  return `+${text.replaceAll(/\D/g, '')}`
}

/** What the account set, or AWS's own. */
export function smsSettings(account: SmsAccount | undefined): {
  readonly senderId: string | undefined
  readonly type: SmsType
  readonly spendLimitUsd: number
} {
  const attributes = account?.attributes ?? {}
  return {
    senderId: attributes['DefaultSenderID'],
    type: attributes['DefaultSMSType'] === 'Transactional' ? 'Transactional' : 'Promotional',
    spendLimitUsd: Number(attributes['MonthlySpendLimit'] ?? SPEND_LIMIT_DEFAULT),
  }
}

const MICRO = 1_000_000

/** What is left of this month's limit, in US dollars; months are those of UTC. */
export function leftToSpend(account: SmsAccount | undefined, now: number): number {
  const spent = account?.spent?.month === monthOf(now) ? account.spent.microUsd : 0
  return Math.max(0, smsSettings(account).spendLimitUsd - spent / MICRO)
}

/** The account after a text of that price. */
export function withSpending(account: SmsAccount | undefined, now: number, priceUsd: number): SmsAccount {
  const month = monthOf(now)
  const before = account?.spent?.month === month ? account.spent.microUsd : 0
  return { attributes: account?.attributes ?? {}, spent: { month, microUsd: before + Math.round(priceUsd * MICRO) } }
}

/** Why a number may not be texted, or undefined. `optOut`, `sandbox`: its rows; `isInSandbox`: of the account. */
export function textingProblem(
  optOut: SmsNumber | undefined,
  sandbox: SmsNumber | undefined,
  isInSandbox: boolean,
): 'opted-out' | 'not-verified' | undefined {
  if (optOut?.kind === 'opted-out' && optOut.optedOutAt !== undefined) return 'opted-out'
  return isInSandbox && !(sandbox?.kind === 'sandbox' && sandbox.status === 'Verified') ? 'not-verified' : undefined
}

function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7)
}

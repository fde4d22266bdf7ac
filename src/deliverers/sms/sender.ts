// Who sends texts for the accounts: asks whether a number may be texted and whether the account may still pay, keeps what was spent and who
// opted out, and leaves the rest to the provider's gateway.
import type { Env } from '../../engine/env.ts'
import type { Outcome } from '../../engine/deliverer.ts'
import type { OriginationNumber, Sms, SmsSender } from '../../engine/sms-sender.ts'
import { SMS_BYTES_MAX, leftToSpend, optOutKey, sandboxKey, smsAccountKey, textingProblem, withSpending } from '../../model/sms.ts'
import { textParts } from '../../model/sms-text.ts'
import { Table } from '../../model/tables.ts'
import type { Sent, TextGateway } from './gateway.ts'

export interface SenderParts extends Pick<Env, 'tables' | 'commits' | 'acts'> {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly gateway: TextGateway
  /** Of each part of a text, where the provider does not say; 0: texts cost nothing. */
  readonly priceUsd: number
  readonly isSandbox: boolean
  readonly originationNumbers: readonly OriginationNumber[]
  /** Who texts come from where nobody says. */
  readonly from: string | undefined
}

/** As AWS tells it in delivery status logs ("Viewing Amazon CloudWatch metrics and logs for SMS deliveries"). */
const REASON = {
  'opted-out': 'Phone number is opted out',
  'not-verified': 'Sandboxed account unable to send to number',
  price: 'This delivery would exceed max price',
  quota: 'No quota left for account',
  body: 'Message body is invalid',
} as const
const ACCEPTED = 'Message has been accepted by phone carrier'

export function createSmsSender(parts: SenderParts): SmsSender {
  const { now, tables, gateway, priceUsd, isSandbox, originationNumbers } = parts
  /** By account and region: what texts under way may cost, which is not spent yet. */
  const reserved = new Map<string, number>()

  const refusalOf = (sms: Sms, price: number): string | undefined => {
    if (sms.text === '' || Buffer.byteLength(sms.text) > SMS_BYTES_MAX) return REASON.body
    const optOut = tables.get(Table.smsNumbers, optOutKey(sms.account, sms.to))
    const sandbox = tables.get(Table.smsNumbers, sandboxKey(sms, sms.to)) ?? tables.get(Table.smsNumbers, sandboxKey(sms, sms.to.slice(1)))
    const problem = textingProblem(optOut, sandbox, isSandbox && sms.isVerification !== true)
    if (problem !== undefined) return REASON[problem]
    if (sms.maxPriceUsd !== undefined && price > sms.maxPriceUsd) return REASON.price
    const key = smsAccountKey(sms)
    const left = leftToSpend(tables.get(Table.smsAccounts, key), now()) - (reserved.get(key) ?? 0)
    return left <= 0 || price > left ? REASON.quota : undefined
  }

  return {
    isInSandbox: () => isSandbox,
    originationNumbers,
    async send(sms) {
      const text = textParts(sms.text)
      const price = priceUsd * text.parts.length
      const refusal = refusalOf(sms, price)
      if (refusal !== undefined) return { kind: 'refused', reason: refusal, told: toldOf(sms, {}) }
      const key = smsAccountKey(sms)
      reserved.set(key, (reserved.get(key) ?? 0) + price)
      try {
        const { to, type, messageId, topicArn, subscriptionArn } = sms
        const from = sms.originationNumber ?? sms.senderId ?? parts.from
        const about = { messageId, ...(topicArn !== undefined && { topicArn, subscriptionArn }) }
        const sent = await gateway.send({ to, from, text: sms.text, parts: text, type, about })
        return await settle(parts, sms, sent, { price: sent.priceUsd ?? price, count: text.parts.length })
      } finally {
        const left = (reserved.get(key) ?? 0) - price
        if (left > 1e-9) reserved.set(key, left)
        else reserved.delete(key)
      }
    },
  }
}

/** What was spent is durable before the text counts as sent. */
async function settle(
  { commits, acts }: SenderParts,
  sms: Sms,
  { priceUsd: _price, isOptedOut, ...outcome }: Sent,
  { price, count }: { readonly price: number; readonly count: number },
): Promise<Outcome> {
  if (isOptedOut === true) {
    await optOut({ commits, acts }, [sms.account], sms.to, 'provider')
    return { kind: 'refused', reason: REASON['opted-out'], told: toldOf(sms, {}) }
  }
  if (outcome.kind !== 'delivered') return { ...outcome, told: toldOf(sms, {}) }
  if (price > 0)
    await commits.commit((tx) => {
      const key = smsAccountKey(sms)
      tx.put(Table.smsAccounts, key, withSpending(tx.get(Table.smsAccounts, key), tx.now, price))
    }).done
  return { ...outcome, told: toldOf(sms, { priceInUSD: price, numberOfMessageParts: count, providerResponse: ACCEPTED }) }
}

function toldOf(sms: Sms, more: Readonly<Record<string, string | number>>): Readonly<Record<string, string | number>> {
  return { ...more, smsType: sms.type }
}

/** Puts a number on the opt-out lists of accounts. `by`: who knew, the provider or the number's own reply. */
export async function optOut(
  { commits, acts }: Pick<Env, 'commits' | 'acts'>,
  accounts: readonly string[],
  phoneNumber: string,
  by: 'provider' | 'reply',
): Promise<void> {
  await commits.commit((tx) => {
    for (const account of accounts) {
      const known = tx.get(Table.smsNumbers, optOutKey(account, phoneNumber))
      if (known?.kind === 'opted-out' && known.optedOutAt !== undefined) continue
      const optedInAt = known?.kind === 'opted-out' ? known.optedInAt : undefined
      tx.put(Table.smsNumbers, optOutKey(account, phoneNumber), {
        ...{ kind: 'opted-out', phoneNumber, optedOutAt: tx.now },
        ...(optedInAt !== undefined && { optedInAt }),
      })
      acts.tell(tx, { name: 'PhoneNumberOptedOut', details: { account, by } })
    }
  }).done
}

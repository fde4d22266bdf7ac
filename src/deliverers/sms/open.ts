// The sender of texts that the settings ask for, shared by deliveries and by SNS's own texts (codes that verify a number).
import type { DelivererParts } from '../../engine/deliverer.ts'
import type { SmsOptions, SmsProvider } from '../../engine/providers.ts'
import type { OriginationNumber, SmsSender } from '../../engine/sms-sender.ts'
import { canonicalNumber, isPhoneNumber } from '../../model/sms.ts'
import { Table } from '../../model/tables.ts'
import type { TextGateway } from './gateway.ts'
import { createSmsSender, optOut } from './sender.ts'
import { createSmpp } from './smpp.ts'
import { createTwilio } from './twilio.ts'

const ACCOUNTS_MAX = 1000

/** Undefined where nobody sends texts. */
export function openSmsSender(parts: Omit<DelivererParts, 'sms'>): SmsSender | undefined {
  const { sms } = parts.providers
  if (sms.kind === 'none') return undefined
  const { from, priceUsd, isSandbox } = sms
  return createSmsSender({
    ...parts,
    ...{ priceUsd, isSandbox, from: from[0]?.name },
    gateway: gatewayOf(sms, parts),
    originationNumbers: originationNumbers(from),
  })
}

/** A reply does not say whose texts it is about: it holds for every account of the server. */
async function optOutEverywhere(parts: Omit<DelivererParts, 'sms'>, phoneNumber: string): Promise<void> {
  if (!isPhoneNumber(phoneNumber)) return
  const accounts = parts.tables.range(Table.accounts, { limit: ACCOUNTS_MAX }).map(({ key }) => key)
  await optOut(parts, accounts, canonicalNumber(phoneNumber), 'reply')
}

function gatewayOf(provider: Exclude<SmsProvider, { kind: 'none' }>, parts: Omit<DelivererParts, 'sms'>): TextGateway {
  const { outbound, clock, captured } = parts
  switch (provider.kind) {
    case 'capture':
      return {
        async send({ to, from, text, about }) {
          await captured.keep({ protocol: 'sms', to, body: text, ...about, ...(from !== undefined && { headers: { From: from } }) })
          return { kind: 'delivered', captured: true }
        },
      }
    case 'twilio':
      return createTwilio({ ...provider, outbound, now: () => clock.now() })
    case 'smpp':
      return createSmpp({ ...provider, outbound, clock, optedOut: (phoneNumber) => optOutEverywhere(parts, phoneNumber) })
  }
}

function originationNumbers(from: SmsOptions['from']): readonly OriginationNumber[] {
  return from
    .filter(({ name }) => /^\+\d+$/.test(name))
    .map(({ name, country }) => ({ phoneNumber: name, country, route: 'Transactional' }))
}

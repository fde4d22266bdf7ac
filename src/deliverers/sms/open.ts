// The sender of texts that the settings ask for, shared by deliveries and by SNS's own texts (codes that verify a number).
import type { DelivererParts } from '../../engine/deliverer.ts'
import type { SmsOptions, SmsProvider } from '../../engine/providers.ts'
import type { OriginationNumber, SmsSender } from '../../engine/sms-sender.ts'
import type { TextGateway } from './gateway.ts'
import { createSmsSender } from './sender.ts'
import { createTwilio } from './twilio.ts'

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

function gatewayOf(
  provider: Exclude<SmsProvider, { kind: 'none' }>,
  { outbound, clock, captured }: Omit<DelivererParts, 'sms'>,
): TextGateway {
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
  }
}

function originationNumbers(from: SmsOptions['from']): readonly OriginationNumber[] {
  return from
    .filter(({ name }) => /^\+\d+$/.test(name))
    .map(({ name, country }) => ({ phoneNumber: name, country, route: 'Transactional' }))
}

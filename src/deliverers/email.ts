// Mail: a message as text with a way out, or its whole envelope as JSON.
import type { Attempt, Deliverer, DelivererParts, DeliveryTools } from '../engine/deliverer.ts'
import { isEmailAddress } from '../model/email-address.ts'
import { captureDeliverer } from './capture.ts'
import { type Mail, mailOf } from './mail.ts'
import { createSmtp } from './smtp.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

type MailProtocol = 'email' | 'email-json'

/** Both, since they share the connections to the mail server. */
export function createMail(parts: DelivererParts): Readonly<Record<MailProtocol, Deliverer>> {
  const { email } = parts.providers
  if (email.kind === 'none') return each((protocol) => unconfiguredDeliverer(protocol, REMEDY, validate))
  if (email.kind === 'capture')
    return each((protocol) => {
      const describe = async (attempt: Attempt, tools: DeliveryTools) => describeMail(await compose(protocol, parts, attempt, tools))
      return captureDeliverer(protocol, validate, describe, parts)
    })
  const smtp = createSmtp(email, parts)
  return each((protocol) => ({
    protocols: [protocol],
    validate,
    async deliver(attempt, tools) {
      return smtp.send(await compose(protocol, parts, attempt, tools))
    },
  }))
}

const REMEDY = 'email.provider to smtp (with email.smtpUrl and email.from) or to capture'

function each(create: (protocol: MailProtocol) => Deliverer): Readonly<Record<MailProtocol, Deliverer>> {
  return { email: create('email'), 'email-json': create('email-json') }
}

function validate(endpoint: string): string | undefined {
  return isEmailAddress(endpoint) ? undefined : 'Email address'
}

function compose(protocol: MailProtocol, { tables }: DelivererParts, attempt: Attempt, { envelope }: DeliveryTools): Promise<Mail> {
  return mailOf(attempt, { protocol, tables, envelope })
}

function describeMail({ fromName, subject, text, headers }: Mail) {
  return { subject, body: text, headers: { From: fromName, ...headers } }
}

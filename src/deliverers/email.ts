// Mail: a message as text with a way out, or its whole envelope as JSON.
import type { Attempt, Deliverer, DelivererParts, DeliveryTools } from '../engine/deliverer.ts'
import { captureDeliverer } from './capture.ts'
import { type Mail, mailOf } from './mail.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

export const createEmail = (parts: DelivererParts): Deliverer => createMailDeliverer('email', parts)
export const createEmailJson = (parts: DelivererParts): Deliverer => createMailDeliverer('email-json', parts)

/** RFC 5321 4.5.3.1: the local part, and the whole of a path without its brackets. */
const LOCAL_CHARS_MAX = 64
const ADDRESS_CHARS_MAX = 254

function createMailDeliverer(protocol: 'email' | 'email-json', parts: DelivererParts): Deliverer {
  const compose = (attempt: Attempt, { envelope }: DeliveryTools): Promise<Mail> =>
    mailOf(attempt.notification, { protocol, tables: parts.tables, envelope })
  switch (parts.providers.email.kind) {
    case 'none':
      return unconfiguredDeliverer(protocol, 'email.provider to capture', validate)
    case 'capture':
      return captureDeliverer(
        protocol,
        validate,
        async (attempt, tools) => {
          const { fromName, subject, text, headers } = await compose(attempt, tools)
          return { subject, body: text, headers: { From: fromName, ...headers } }
        },
        parts,
      )
  }
}

/** One mailbox as it stands in an envelope (RFC 5321): no display name, no comments, no list. */
function validate(endpoint: string): string | undefined {
  const at = endpoint.lastIndexOf('@')
  const [local, domain] = [endpoint.slice(0, at), endpoint.slice(at + 1)]
  const isAddress =
    at > 0 && endpoint.length <= ADDRESS_CHARS_MAX && local.length <= LOCAL_CHARS_MAX && LOCAL.test(local) && DOMAIN.test(domain)
  return isAddress ? undefined : 'Email address'
}

const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

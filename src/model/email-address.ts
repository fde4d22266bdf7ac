// One mailbox as it stands in an envelope (RFC 5321): no display name, no comments, no list.

/** RFC 5321 4.5.3.1: the local part, and the whole of a path without its brackets. */
const LOCAL_CHARS_MAX = 64
const ADDRESS_CHARS_MAX = 254

export function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@')
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)]
  return at > 0 && text.length <= ADDRESS_CHARS_MAX && local.length <= LOCAL_CHARS_MAX && LOCAL.test(local) && DOMAIN.test(domain)
}

const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

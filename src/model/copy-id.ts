// The id under which a queue shows its copy of a published message: its own, the same at every receive, and kept on the way to a
// dead-letter queue. Made of what is known anyway, so that nothing has to be stored for it.
import { hash } from 'node:crypto'

/** A UUID. `route`: by which the copy came. */
export function copyIdOf(publishedId: string, route: number): string {
  const hex = hash('sha256', `${publishedId} ${route}`, 'hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

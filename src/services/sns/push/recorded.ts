// How events tell of the attributes of platforms: secrets, tokens of devices and what an app keeps about a user stay hidden.
import { HIDDEN } from '../../../engine/audit.ts'

const SECRET: ReadonlySet<string> = new Set(['PlatformCredential', 'PlatformPrincipal', 'Token', 'CustomUserData'])

export function hiddenAttributes(attributes: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (attributes === undefined) return undefined
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, SECRET.has(name) ? HIDDEN : value]))
}

// On whose behalf a queue's key is to work.
import type { Call } from '../../engine/operation.ts'
import type { KeyUser } from '../../engine/message-keys.ts'

export function keyUserOf({ account, principal }: Call): KeyUser {
  return { account, isService: principal.type === 'service' }
}

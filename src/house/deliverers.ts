// The registry of deliverers, made once for services and followers. One of the places that import an index.ts.
import { createDeliverers } from '../deliverers/index.ts'
import { openSmsSender } from '../deliverers/sms/open.ts'
import type { Captured } from '../engine/captured.ts'
import type { Deliverer } from '../engine/deliverer.ts'
import type { Env } from '../engine/env.ts'
import type { TellPlatformEvent } from '../engine/platform-events.ts'
import { NO_PROVIDERS } from '../engine/providers.ts'
import type { SmsSender } from '../engine/sms-sender.ts'
import type { HouseOptions } from './options.ts'

export type Deliverers = Readonly<Record<string, Deliverer>>

export interface OpenDeliverers {
  readonly deliverers: Deliverers
  /** Undefined where nobody sends texts. */
  readonly sms: SmsSender | undefined
}

/** `tellPlatformEvent` MUST NOT be called before the services stand. */
export function openDeliverers(options: HouseOptions, env: Env, captured: Captured, tellPlatformEvent: TellPlatformEvent): OpenDeliverers {
  const { clock, machineClock = clock, baseUrl, providers = NO_PROVIDERS } = options
  const { random, log, seal, tables, commits, acts, outbound } = env
  const now = (): number => clock.now()
  const parts = {
    clock: machineClock,
    now,
    random,
    log,
    seal,
    tables,
    commits,
    acts,
    outbound,
    baseUrl,
    providers,
    captured,
    tellPlatformEvent,
  }
  const sms = openSmsSender(parts)
  return { deliverers: createDeliverers({ ...parts, ...(sms !== undefined && { sms }) }), sms }
}

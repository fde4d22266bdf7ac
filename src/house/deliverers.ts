// The registry of deliverers, made once for services and followers. One of the places that import an index.ts.
import { createDeliverers } from '../deliverers/index.ts'
import type { Captured } from '../engine/captured.ts'
import type { Deliverer } from '../engine/deliverer.ts'
import type { Env } from '../engine/env.ts'
import { NO_PROVIDERS } from '../engine/providers.ts'
import type { HouseOptions } from './options.ts'

export type Deliverers = Readonly<Record<string, Deliverer>>

export function openDeliverers({ baseUrl, providers = NO_PROVIDERS }: HouseOptions, env: Env, captured: Captured): Deliverers {
  const { clock, random, log, seal, tables, commits, acts, outbound } = env
  return createDeliverers({ clock, random, log, seal, tables, commits, acts, outbound, baseUrl, providers, captured })
}

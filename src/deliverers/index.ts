// The delivery protocols. `npm run new deliverer <name>` adds one.
import type { Deliverer, DelivererParts } from '../engine/deliverer.ts'
import { createMail } from './email.ts'
import { createHttp, createHttps } from './http.ts'

export function createDeliverers(parts: DelivererParts): Readonly<Record<string, Deliverer>> {
  return {
    ...createMail(parts),
    http: createHttp(),
    https: createHttps(),
  }
}

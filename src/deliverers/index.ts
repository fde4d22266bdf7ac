// The delivery protocols. `npm run new deliverer <name>` adds one.
import type { Deliverer, DelivererParts } from '../engine/deliverer.ts'
import { createApplication } from './application.ts'
import { createMail } from './email.ts'
import { createHttp, createHttps } from './http.ts'
import { createSms } from './sms.ts'

export function createDeliverers(parts: DelivererParts): Readonly<Record<string, Deliverer>> {
  return {
    application: createApplication(parts),
    ...createMail(parts),
    http: createHttp(),
    https: createHttps(),
    sms: createSms(parts),
  }
}

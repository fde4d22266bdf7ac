// The delivery protocols. `npm run new deliverer <name>` adds one.
import type { Deliverer, DelivererParts } from '../engine/deliverer.ts'
import { createApplication } from './application.ts'
import { createMail } from './email.ts'
import { createFirehose } from './firehose.ts'
import { createHttp, createHttps } from './http.ts'
import { createSms } from './sms.ts'
import { createLambda } from './lambda.ts'
import { createSqs } from './sqs.ts'

export function createDeliverers(parts: DelivererParts): Readonly<Record<string, Deliverer>> {
  return {
    application: createApplication(parts),
    ...createMail(parts),
    firehose: createFirehose(parts),
    http: createHttp(),
    https: createHttps(),
    sms: createSms(parts),
    lambda: createLambda(parts),
    sqs: createSqs(parts),
  }
}

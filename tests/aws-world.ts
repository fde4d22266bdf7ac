// The delivery follower with functions, delivery streams and queues of other servers: real sockets to a service that checks signatures,
// simulated time.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createFirehose } from '../src/deliverers/firehose.ts'
import { createLambda } from '../src/deliverers/lambda.ts'
import { createSqs } from '../src/deliverers/sqs.ts'
import type { DelivererParts } from '../src/engine/deliverer.ts'
import { createOutbound, type Outbound } from '../src/engine/outbound.ts'
import { NO_PROVIDERS, type ProviderOptions } from '../src/engine/providers.ts'
import type { Subscription } from '../src/model/topic.ts'
import { answering, AWS_KEY, type AwsService, openAwsService } from './aws-service.ts'
import { later, subscribe, told, type World, world } from './delivery-world.ts'

export const ACCOUNT = '000000000001'
export const OTHER = '000000000009'
export const functionArn = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:orders`
const streamArn = `arn:aws:firehose:eu-west-1:${ACCOUNT}:deliverystream/orders`
export const remoteArn = `arn:aws:sqs:eu-west-1:${OTHER}:there`
export const ARNS = { lambda: functionArn, firehose: streamArn, sqs: remoteArn } as const
export type Protocol = keyof typeof ARNS
export const MARK = 'mark-of-this-server'
const TIMEOUT_MS = 15_000

export const well = { lambda: answering({}, 202), firehose: answering({ RecordId: 'rec' }), sqs: answering({ MessageId: 'm-there' }) }

export interface Delivering {
  readonly here: World
  readonly service: AwsService
  /** Until so many attempts are told; without a number, until one of them is the last. */
  run(attempts?: number): Promise<void>
}

export async function delivering(t: TestContext, protocol: Protocol, url?: string): Promise<Delivering> {
  const sockets: { here?: World; outbound?: Outbound } = {}
  const service = await openAwsService(well[protocol], { now: () => sockets.here?.clock.now() ?? 0 })
  const endpoint = { kind: 'endpoint', endpoint: { url: url ?? service.url, key: () => AWS_KEY } } as const
  const providers: ProviderOptions = { ...NO_PROVIDERS, lambda: endpoint, firehose: endpoint, queues: endpoint }
  const parts = { providers } as DelivererParts
  const outbound: Outbound = {
    request: (request) => sockets.outbound?.request(request) ?? assert.fail('not yet'),
    connect: () => assert.fail('not asked for here'),
    ...{ mark: MARK, origins: 0, close: () => Promise.resolve() },
  }
  const here = await world(
    t,
    {},
    { deliverers: { lambda: createLambda(parts), firehose: createFirehose(parts), sqs: createSqs(parts) }, outbound },
  )
  sockets.here = here
  sockets.outbound = createOutbound({ clock: here.clock, allow: ['127.0.0.0/8'] })
  t.after(async () => {
    await sockets.outbound?.close()
    service.close()
  })
  const run = async (attempts?: number): Promise<void> => {
    const isOver = (): boolean =>
      attempts === undefined ? (told(here).at(-1)?.outcome ?? 'retry') !== 'retry' : told(here).length >= attempts
    for (let ended = 0, seen = 0; !isOver();) {
      await later()
      const done = told(here).length
      if (here.delivery.deliveries().running === 0 || done > ended) {
        ended = done
        here.clock.advance(Math.max(0, (here.clock.nextTimerAt() ?? 0) - here.clock.monotonic()))
      } else if (service.seen > seen && service.answer === hangs) {
        seen = service.seen
        here.clock.advance(TIMEOUT_MS)
      }
    }
  }
  return { here, service, run }
}

export const hangs = (): void => {}
export const subscribeTo = (
  here: World,
  protocol: Protocol,
  attributes: Record<string, string> = {},
  endpoint: string = ARNS[protocol],
): Promise<Subscription> => subscribe(here, endpoint, attributes, { protocol })

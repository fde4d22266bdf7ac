// SQS by what its users rely on: each call goes through the whole engine, over storage in memory and a clock that stands still.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { startVisibility } from '../src/engine/visibility.ts'
import type { MessageHeader } from '../src/model/message.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import type { ServiceError } from '../src/model/service-error.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { MessageMoveRuns } from '../src/services/sqs/message-move-runs.ts'
import { createHarness, type Harness, type HarnessOptions, OTHER_ACCOUNT } from './harness.ts'

export const HOST = 'sealcast.test:4566'
export const SECOND = 1000
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
export const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')

interface Received {
  readonly Messages?: readonly {
    readonly MessageId: string
    readonly ReceiptHandle: string
    readonly Body: string
    readonly MD5OfBody: string
    readonly Attributes?: Record<string, string>
    readonly MessageAttributes?: Record<string, { DataType: string; StringValue?: string; BinaryValue?: Uint8Array }>
    readonly MD5OfMessageAttributes?: string
  }[]
}

export interface World extends Harness {
  readonly moves: MessageMoveRuns
  sqs<T>(operation: string, input?: object, as?: typeof other): Promise<T>
  create(name: string, Attributes?: Record<string, string>): Promise<string>
  receive(QueueUrl: string, more?: object): Promise<NonNullable<Received['Messages']>>
  attribute(QueueUrl: string, name: string): Promise<string | undefined>
}

interface WorldOptions extends HarnessOptions {
  readonly hasAwsRates?: boolean
  readonly isSealedAtRest?: boolean
}

export async function createWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const notifications = (header: MessageHeader, body: string, route: { subscriptionArn: string }) =>
    Promise.resolve(JSON.stringify({ Type: header.type, Message: body, For: route.subscriptionArn }))
  const harness = await createHarness(
    () => ({
      sqs: createSqs({ notifications, hasAwsRates: options.hasAwsRates ?? false, isSealedAtRest: options.isSealedAtRest ?? false }),
    }),
    options,
  )
  const visibility = startVisibility(harness.env)
  const moves = new MessageMoveRuns(harness.env, () => undefined)
  t.after(async () => {
    visibility.stop()
    await moves.stop()
    await harness.close()
  })
  const sqs = async <T>(operation: string, input: object = {}, as?: typeof other): Promise<T> => {
    const output = (await harness.call('sqs', operation, input, as)) as T
    // Some answers come before their commit; time stands still here, where outside the way to the caller takes some.
    await harness.env.commits.settled()
    return output
  }
  return {
    ...harness,
    moves,
    sqs,
    create: async (QueueName, Attributes) => (await sqs<{ QueueUrl: string }>('CreateQueue', { QueueName, Attributes })).QueueUrl,
    receive: async (QueueUrl, more = {}) =>
      (await sqs<Received>('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, ...more })).Messages ?? [],
    attribute: async (QueueUrl, name) =>
      (await sqs<{ Attributes?: Record<string, string> }>('GetQueueAttributes', { QueueUrl, AttributeNames: [name] })).Attributes?.[name],
  }
}

export const refusal = async (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => assert.fail('the call was not refused'),
    (error: ServiceError) => error,
  )

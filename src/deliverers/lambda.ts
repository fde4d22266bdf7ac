// Functions: invoked through a Lambda endpoint, for their event alone (InvocationType Event). Where nothing is invoked, the event is kept,
// and may be handed to a local command or a URL.
// Source: Lambda API reference, "Invoke".
import type { Attempt, Deliverer, DelivererParts, DeliveryTools, Outcome } from '../engine/deliverer.ts'
import type { AwsEndpoint, LocalFunction } from '../engine/providers.ts'
import { parseArn } from '../model/arn.ts'
import { lambdaEvent } from '../model/lambda-event.ts'
import { percentEncode } from '../model/percent-encoding.ts'
import { askAws } from './aws-endpoint.ts'
import { captureDeliverer } from './capture.ts'
import { type FunctionName, functionFailure, localRunner } from './local-function.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

export function createLambda(parts: DelivererParts): Deliverer {
  const provider = parts.providers.lambda
  switch (provider.kind) {
    case 'none':
      return unconfiguredDeliverer(
        'lambda',
        'lambda.provider to endpoint (with lambda.endpoint and lambda.credentialsFile) or to capture',
        validate,
      )
    case 'endpoint':
      return { protocols: ['lambda'], validate, deliver: (attempt, tools) => invoke(provider.endpoint, attempt, tools) }
    case 'capture':
      return captureFunction(parts, provider.runs)
  }
}

/** AWS's word for an endpoint that is none. */
function validate(endpoint: string): string | undefined {
  return parseFunctionArn(endpoint) === undefined ? 'Lambda endpoint ARN' : undefined
}

function captureFunction(parts: DelivererParts, runs: LocalFunction | undefined): Deliverer {
  const keeper = captureDeliverer('lambda', validate, async (attempt, tools) => ({ body: await eventOf(attempt, tools) }), parts)
  if (runs === undefined) return keeper
  const run = localRunner(parts, runs)
  return {
    ...keeper,
    async deliver(attempt, tools) {
      const called = parseFunctionArn(attempt.endpoint)
      const ended = called === undefined ? NO_FUNCTION : await run(called, await eventOf(attempt, tools), tools)
      // Kept once, when it is over.
      if (ended.kind === 'retry') return ended
      const kept = await keeper.deliver(attempt, tools)
      return ended.kind === 'refused' ? ended : { ...kept, ...ended }
    },
  }
}

const NO_FUNCTION: Outcome = { kind: 'refused', reason: 'the endpoint is no ARN of a function' }

async function eventOf({ notification }: Attempt, { envelope }: DeliveryTools): Promise<string> {
  return lambdaEvent(await envelope(notification), notification.subscriptionArn)
}

/** Undefined when the ARN is that of no function. */
function parseFunctionArn(endpoint: string): FunctionName | undefined {
  const arn = parseArn(endpoint)
  const [, name, qualifier] = /^function:([\w-]{1,64})(?::(\$LATEST|[\w-]{1,128}))?$/.exec(arn?.resource ?? '') ?? []
  if (arn === undefined || name === undefined || arn.service !== 'lambda') return undefined
  const { partition, region, account } = arn
  if (!/^[a-z0-9-]+$/.test(region) || !/^\d{12}$/.test(account)) return undefined
  return { region, account, name, qualifier, arn: `arn:${partition}:lambda:${region}:${account}:function:${name}` }
}

/** One invocation. */
async function invoke(endpoint: AwsEndpoint, attempt: Attempt, tools: DeliveryTools): Promise<Outcome> {
  const called = parseFunctionArn(attempt.endpoint)
  if (called === undefined) return NO_FUNCTION
  const { region, account, name, qualifier } = called
  // Its name alone is what the smallest of Lambda's likes know; whose it is must be said where it is not the topic's account's.
  const identifier = parseArn(attempt.notification.topicArn)?.account === account ? name : called.arn
  const query = qualifier === undefined ? '' : `?Qualifier=${percentEncode(qualifier)}`
  const answer = await askAws(tools, endpoint, {
    ...{ service: 'lambda', region },
    path: `/2015-03-31/functions/${percentEncode(identifier)}/invocations${query}`,
    headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
    body: await eventOf(attempt, tools),
  })
  if (answer.kind !== 'answered') return answer
  const { status, requestId } = answer
  const failure = functionFailure(answer.headers)
  if (failure !== undefined) return { kind: 'refused', status, reason: failure }
  return { kind: 'delivered', status, ...(requestId !== undefined && { response: JSON.stringify({ lambdaRequestId: requestId }) }) }
}

// Queues of other servers, at an SQS endpoint; queues of this one are served where a message is published.
// Source: Amazon SQS API reference, "SendMessage"; SNS developer guide, "Fanout to Amazon SQS queues".
import type { Attempt, Deliverer, DelivererParts, DeliveryTools, Outcome } from '../engine/deliverer.ts'
import type { AwsEndpoint } from '../engine/providers.ts'
import { parseArn } from '../model/arn.ts'
import { isFifoName } from '../model/fifo-attributes.ts'
import type { MessageAttribute } from '../model/message.ts'
import { askAws, jsonHeaders } from './aws-endpoint.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

export function createSqs({ providers: { queues } }: Pick<DelivererParts, 'providers'>): Deliverer {
  // Whether an endpoint is a queue at all, SNS checks for own and other ones alike.
  const validate = (): undefined => undefined
  if (queues.kind === 'none')
    return {
      ...unconfiguredDeliverer('to queues of others', 'sqs.remoteEndpoint and sqs.remoteCredentialsFile', validate),
      protocols: ['sqs'],
    }
  return { protocols: ['sqs'], validate, deliver: (attempt, tools) => sendMessage(queues.endpoint, attempt, tools) }
}

async function sendMessage(endpoint: AwsEndpoint, attempt: Attempt, tools: DeliveryTools): Promise<Outcome> {
  const { region, account, resource } = parseArn(attempt.endpoint) ?? {}
  if (region === undefined || account === undefined || resource === undefined)
    return { kind: 'refused', reason: 'the endpoint is no ARN of a queue' }
  const queueUrl = `${endpoint.url.replaceAll('{region}', region)}/${account}/${resource}`
  const answer = await askAws(tools, endpoint, {
    ...{ service: 'sqs', region, path: '/', headers: jsonHeaders('1.0', 'AmazonSQS.SendMessage') },
    body: JSON.stringify({ QueueUrl: queueUrl, ...(await messageOf(attempt, tools)) }),
  })
  if (answer.kind !== 'answered') return answer
  const { status, requestId, body } = answer
  const sqsMessageId = /"MessageId"\s*:\s*"([\w-]{1,128})"/.exec(body.toString('utf8'))?.[1]
  return { kind: 'delivered', status, response: JSON.stringify({ sqsRequestId: requestId, sqsMessageId }) }
}

async function messageOf({ notification, endpoint, raw, marks = {} }: Attempt, { envelope }: DeliveryTools): Promise<object> {
  const isRaw = raw && notification.type === 'Notification'
  const { groupId, deduplicationId, traceHeader } = marks
  const isToFifo = isFifoName(endpoint)
  // Quirk: the groups of a FIFO topic are those of its FIFO queues; standard ones do not learn of them (recorded against AWS).
  const isGroupTold = isToFifo || !isFifoName(notification.topicArn)
  return {
    MessageBody: isRaw ? notification.message : await envelope(notification),
    ...(isRaw && notification.attributes !== undefined && { MessageAttributes: attributesOf(notification.attributes) }),
    ...(traceHeader !== undefined && {
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } },
    }),
    ...(groupId !== undefined && isGroupTold && { MessageGroupId: groupId }),
    ...(deduplicationId !== undefined && isToFifo && { MessageDeduplicationId: deduplicationId }),
  }
}

function attributesOf(attributes: Readonly<Record<string, MessageAttribute>>): object {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { type, value }]) => [
      name,
      // Bytes are base64 in JSON, and so they are kept.
      { DataType: type, ...(type.startsWith('Binary') ? { BinaryValue: value } : { StringValue: value }) },
    ]),
  )
}

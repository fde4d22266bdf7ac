// The event that SNS invokes a function with: always one record, with names of its own for some members of the envelope.
// Source: Lambda developer guide, "Invoking Lambda functions with Amazon SNS notifications"; recorded against AWS.

type Attributes = Readonly<Record<string, { readonly Type: string; readonly Value: string }>>

interface Envelope {
  readonly [name: string]: unknown
  readonly Subject?: string
  readonly SigningCertURL?: string
  readonly UnsubscribeURL?: string
  readonly SubscribeURL?: string
  readonly MessageAttributes?: Attributes
}

/** Types that functions are told as String (SNS developer guide, "Amazon SNS message attributes"). */
const TOLD_AS_TEXT: ReadonlySet<string> = new Set(['String.Array', 'Number'])

/** The JSON of the event; `envelope`: the notification's, as any other endpoint gets it. */
export function lambdaEvent(envelope: string, subscriptionArn: string): string {
  const { Subject, SigningCertURL, UnsubscribeURL, SubscribeURL, MessageAttributes, ...others } = JSON.parse(envelope) as Envelope
  const { Type, MessageId, TopicArn, Message, Timestamp, Token, Signature } = others
  const message = {
    ...{ Type, MessageId, Token, TopicArn },
    Subject: Subject ?? null,
    ...{ Message, Timestamp },
    // Quirk: `1` even where the topic signs with version 2 (recorded against AWS).
    SignatureVersion: Signature === undefined ? undefined : '1',
    Signature,
    SigningCertUrl: SigningCertURL,
    SubscribeUrl: SubscribeURL,
    UnsubscribeUrl: UnsubscribeURL,
    MessageAttributes: Object.fromEntries(Object.entries(MessageAttributes ?? {}).map(([name, given]) => [name, toldAttribute(given)])),
  }
  return JSON.stringify({
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscriptionArn, Sns: message }],
  })
}

function toldAttribute({ Type, Value }: Attributes[string]): Attributes[string] {
  return { Type: TOLD_AS_TEXT.has(Type) ? 'String' : Type, Value }
}

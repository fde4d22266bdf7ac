// An event in the form in which EventBridge hands it on (EventBridge user guide, "AWS service events delivered via AWS CloudTrail").

export interface EventCopy {
  /** One JSON object. */
  readonly body: string
  /** The call changed nothing. */
  readonly isRead: boolean
  /** eventTime of the record. */
  readonly time: string
}

/** `json`: a record of our own making. It stands in `detail` byte for byte; `id` is its eventID, so that a repetition is known as one. */
export function eventCopyOf(json: string): EventCopy {
  const { eventID, eventSource, eventType, eventTime, awsRegion, recipientAccountId, readOnly } = JSON.parse(json) as Readonly<
    Record<string, unknown>
  >
  const time = String(eventTime)
  const head = JSON.stringify({
    version: '0',
    id: eventID,
    'detail-type': DETAIL_TYPES[String(eventType)] ?? 'AWS Service Event via CloudTrail',
    source: `aws.${String(eventSource).split('.')[0] ?? ''}`,
    account: recipientAccountId,
    time,
    region: awsRegion,
    resources: [],
  })
  return { body: `${head.slice(0, -1)},"detail":${json}}`, isRead: readOnly === true, time }
}

const DETAIL_TYPES: Readonly<Record<string, string>> = {
  AwsApiCall: 'AWS API Call via CloudTrail',
  AwsConsoleAction: 'AWS Console Action via CloudTrail',
  AwsConsoleSignIn: 'AWS Console Sign In via CloudTrail',
}

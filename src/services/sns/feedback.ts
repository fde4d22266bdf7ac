// The attributes that ask for delivery status: what AWS takes as their values.

const FEEDBACK = /^(HTTP|SQS|Lambda|Firehose|Application)(SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)$/
const ROLE = /^arn:[a-z-]+:iam::\d{12}:role\/\S+$/
const PERCENT = /^(\d|[1-9]\d|100)$/

/** Of a topic: three for each of five classes of endpoints. */
export function isFeedbackAttribute(name: string): boolean {
  return FEEDBACK.test(name)
}

/** What stands behind AWS's "NAME: ", or undefined. An empty value clears. */
export function feedbackProblem(name: string, value: string): string | undefined {
  if (value === '') return undefined
  if (name.endsWith('SampleRate')) return PERCENT.test(value) ? undefined : `${value} value provided is not an integer between 0-100`
  return ROLE.test(value) ? undefined : `${value} is not the ARN of an IAM role`
}

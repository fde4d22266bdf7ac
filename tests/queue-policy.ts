// What queues need so that topics may send to them.
/** The policy of a queue that every topic may send to. */
export function topicsMaySend(queueArn: string): string {
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queueArn }]
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyEventOf, lookupTerms } from './history-event.ts'

const RECORD = {
  eventTime: '2026-01-02T03:04:05Z',
  eventSource: 'sns.amazonaws.com',
  eventName: 'Subscribe',
  awsRegion: 'eu-west-1',
  eventID: 'e1',
  recipientAccountId: '000000000001',
}
const read = (more: object) => historyEventOf(JSON.stringify({ ...RECORD, ...more }))

test('the user: by name, as session of a role, as root; services have none', () => {
  const user = (userIdentity: object) => read({ userIdentity })?.username
  assert.equal(user({ type: 'IAMUser', userName: 'ann' }), 'ann')
  assert.equal(user({ type: 'AssumedRole', principalId: 'AROA1:session-1' }), 'session-1')
  assert.equal(user({ type: 'AssumedRole', principalId: 'AROA1' }), undefined)
  assert.equal(user({ type: 'Root', userName: 'alias' }), 'root')
  assert.equal(user({ type: 'AWSService', invokedBy: 'x' }), undefined)
})

test('resources: those of the record, of parameters and of the answer, each once', () => {
  const topicArn = 'arn:aws:sns:eu-west-1:1:t'
  const subscriptionArn = `${topicArn}:s`
  assert.deepEqual(
    read({
      resources: [{ type: 'AWS::SNS::Topic', ARN: topicArn, accountId: '1' }],
      requestParameters: { topicArn, protocol: 'sqs' },
      responseElements: { subscriptionArn },
    })?.resources,
    [
      { type: 'AWS::SNS::Topic', name: topicArn },
      { type: 'AWS::SNS::Subscription', name: subscriptionArn },
    ],
  )
  const target = (targetArn: string) => read({ requestParameters: { targetArn } })?.resources[0]?.type
  assert.equal(target('arn:aws:sns:eu-west-1:1:endpoint/GCM/app/1'), 'AWS::SNS::PlatformEndpoint')
  assert.equal(target(topicArn), 'AWS::SNS::Topic')
})

test('records in odd forms are read as far as they go', () => {
  assert.equal(read({ eventID: undefined }), undefined)
  assert.equal(read({ eventTime: 'yesterday' }), undefined)
  assert.equal(historyEventOf('[]'), undefined)
  const odd = read({ userIdentity: 'x', requestParameters: 'HIDDEN', resources: [null, 'x', { type: 1 }], readOnly: 'yes' })
  assert.deepEqual([odd?.resources, odd?.readOnly, odd?.username], [[], undefined, undefined])
  assert.deepEqual(odd && lookupTerms(odd), ['EventId=e1', 'EventName=Subscribe', 'EventSource=sns.amazonaws.com'])
})

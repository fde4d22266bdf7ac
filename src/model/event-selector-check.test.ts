// Which selectors are accepted, and that a refusal names the member at fault.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAdvancedEventSelectors, checkEventSelectors, EventSelectorInvalid } from './event-selector-check.ts'
import type { AdvancedFieldSelector, EventSelector } from './trail.ts'

function refuses(check: () => void, pattern: RegExp): void {
  assert.throws(check, (error) => {
    assert.ok(error instanceof EventSelectorInvalid)
    assert.match(error.message, pattern)
    return true
  })
}

const advanced = (...fields: AdvancedFieldSelector[]) => checkAdvancedEventSelectors([{ FieldSelectors: fields }])
const is = (field: string, ...values: string[]): AdvancedFieldSelector => ({ Field: field, Equals: values })

test('basic selectors of the user guide pass', () => {
  checkEventSelectors([
    {},
    {
      ReadWriteType: 'WriteOnly',
      IncludeManagementEvents: true,
      ExcludeManagementEventSources: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'],
    },
    {
      IncludeManagementEvents: false,
      DataResources: [
        { Type: 'AWS::S3::Object', Values: ['arn:aws:s3', 'arn:aws:s3:::', 'arn:aws:s3:::my-box/', 'arn:aws:s3:::my-box/a*b'] },
      ],
    },
    { DataResources: [{ Type: 'AWS::Lambda::Function', Values: ['arn:aws:lambda', 'arn:aws:lambda:us-west-2:111122223333:function:f'] }] },
    { DataResources: [{ Type: 'AWS::DynamoDB::Table', Values: ['arn:aws:dynamodb', 'arn:aws:dynamodb:us-west-2:111122223333:table/t'] }] },
  ])
})

test('basic selectors outside the rules are refused', () => {
  const refusesOne = (selector: object, pattern: RegExp) => refuses(() => checkEventSelectors([selector as EventSelector]), pattern)
  refuses(() => checkEventSelectors([]), /1 to 5/)
  refuses(() => checkEventSelectors([{}, {}, {}, {}, {}, {}]), /1 to 5/)
  refusesOne({ ReadWriteType: 'Some' }, /ReadWriteType/)
  refusesOne({ ExcludeManagementEventSources: ['sns.amazonaws.com'] }, /ExcludeManagementEventSources/)
  refusesOne({ IncludeManagementEvents: false, ExcludeManagementEventSources: ['kms.amazonaws.com'] }, /IncludeManagementEvents/)
  refusesOne({ DataResources: [{ Type: 'AWS::SNS::Topic', Values: [] }] }, /AWS::SNS::Topic.*advanced event selectors/)
  for (const value of ['arn:aws:s3:::*', 'arn:aws:s3:::my-box', 'my-box/', 'arn:aws:sns:us-east-1:111122223333:t'])
    refusesOne({ DataResources: [{ Type: 'AWS::S3::Object', Values: [value] }] }, /^Value .* for DataResources.Values is invalid.$/)
  const values = Array.from({ length: 251 }, (_, at) => `arn:aws:s3:::box-${at}/`)
  refusesOne({ DataResources: [{ Type: 'AWS::S3::Object', Values: values }] }, /at most 250/)
  checkEventSelectors([{ DataResources: [{ Type: 'AWS::S3::Object', Values: [...values.slice(1), 'arn:aws:s3'] }] }])
})

test('advanced selectors of the user guide pass', () => {
  advanced(is('eventCategory', 'Management'))
  advanced(is('eventCategory', 'Management'), is('readOnly', 'false'), { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] })
  advanced(is('eventCategory', 'Data'), is('resources.type', 'AWS::SNS::Topic'), is('eventName', 'Publish', 'PublishBatch'), {
    Field: 'resources.ARN',
    StartsWith: ['arn:aws:sns:us-east-1:111122223333:orders-'],
    NotEndsWith: ['-test'],
  })
  advanced(is('eventCategory', 'Data'), is('resources.type', 'AWS::S3::Object'), { Field: 'eventType', NotEquals: ['AwsServiceEvent'] })
  advanced(is('eventCategory', 'NetworkActivity'), is('eventSource', 'sns.amazonaws.com'), is('errorCode', 'VpceAccessDenied'))
})

test('advanced selectors outside the rules are refused', () => {
  const data = [is('eventCategory', 'Data'), is('resources.type', 'AWS::SNS::Topic')]
  refuses(() => checkAdvancedEventSelectors([]), /1 to 500/)
  refuses(() => advanced(), /eventCategory/)
  refuses(() => advanced(is('readOnly', 'true')), /eventCategory/)
  refuses(() => advanced(is('eventCategory', 'Everything')), /eventCategory/)
  refuses(() => advanced(is('eventCategory', 'Data', 'Management')), /eventCategory/)
  refuses(() => advanced({ Field: 'eventCategory', StartsWith: ['Data'] }), /eventCategory/)
  refuses(() => advanced(is('eventCategory', 'Data')), /resources\.type/)
  refuses(() => advanced(is('eventCategory', 'NetworkActivity')), /eventSource/)
  refuses(() => advanced(is('eventCategory', 'Data'), is('resources.type', 'AWS::SNS::Topic', 'AWS::S3::Object')), /exactly one type/)
  refuses(() => advanced(is('eventCategory', 'Data'), { Field: 'resources.type', NotEquals: ['AWS::SNS::Topic'] }), /resources\.type/)
  refuses(
    () => advanced(is('eventCategory', 'Management'), is('eventName', 'CreateTopic')),
    /eventName is not valid for the eventCategory Management/,
  )
  refuses(() => advanced(is('eventCategory', 'Management'), is('eventSource', 'sns.amazonaws.com')), /eventSource/)
  refuses(() => advanced(is('eventCategory', 'Management'), { Field: 'eventSource', NotEquals: ['sns.amazonaws.com'] }), /eventSource/)
  refuses(() => advanced(...data, is('readOnly', 'maybe')), /readOnly/)
  refuses(() => advanced(...data, is('eventName', 'Publish'), { Field: 'eventName', NotEquals: ['x'] }), /eventName stands twice/)
  refuses(() => advanced(...data, { Field: 'eventName' }), /needs an operator/)
  refuses(() => advanced(...data, { Field: 'eventName', Equals: [] }), /at least one value/)
  refuses(() => advanced(...data, is('eventName', '')), /1 to 2048/)
  refuses(() => advanced(...data, is('toString', 'x')), /toString/)
  refuses(() => checkAdvancedEventSelectors([{ Name: 'x'.repeat(1001), FieldSelectors: data }]), /Name/)
  refuses(() => advanced(...data, is('eventName', ...Array.from({ length: 500 }, (_, at) => `n${at}`))), /at most 500/)
})

test('a whole ARN stands with Equals, and parts of one with the other operators', () => {
  const arns = (field: object) =>
    advanced(is('eventCategory', 'Data'), is('resources.type', 'AWS::S3::Object'), { Field: 'resources.ARN', ...field })
  arns({ Equals: ['arn:aws:s3:::my-box/', 'arn:aws:s3:::my-box/a/b'] })
  arns({ StartsWith: ['arn:aws:s3:::my-'], NotEndsWith: ['.tmp'] })
  refuses(() => arns({ Equals: ['my-box'] }), /resources.ARN takes a whole ARN with Equals/)
  refuses(() => arns({ NotEquals: ['arn:aws:s3'] }), /resources.ARN takes a whole ARN with Equals/)
})

// What event selectors of a trail may say (CloudTrail API reference, PutEventSelectors, EventSelector, DataResource, AdvancedFieldSelector;
// "Quotas in AWS CloudTrail"). Each problem is one sentence that names the member and what would be right.
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector } from './trail.ts'

export class EventSelectorInvalid extends Error {
  override name = 'EventSelectorInvalid'
}

const SELECTORS_MAX = 5
const DATA_VALUES_MAX = 250
const ADVANCED_VALUES_MAX = 500
const ADVANCED_SELECTORS_MAX = 500
const NAME_CHARS_MAX = 1000
const VALUE_CHARS_MAX = 2048
const EXCLUDABLE = ['kms.amazonaws.com', 'rdsdata.amazonaws.com']

/** What each kind of basic data resource takes; the first form means all of them. */
const DATA_RESOURCES: Readonly<Record<string, { readonly all: RegExp; readonly one: RegExp }>> = {
  'AWS::S3::Object': { all: /^arn:[a-z-]+:s3(:::)?$/, one: /^arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.*$/s },
  'AWS::Lambda::Function': { all: /^arn:[a-z-]+:lambda$/, one: /^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_:$-]+$/ },
  'AWS::DynamoDB::Table': {
    all: /^arn:[a-z-]+:dynamodb$/,
    one: /^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]+(\/stream\/.+)?$/,
  },
}

/** Throws EventSelectorInvalid. */
export function checkEventSelectors(selectors: readonly EventSelector[]): void {
  if (selectors.length < 1 || selectors.length > SELECTORS_MAX)
    fail(`A trail has 1 to ${SELECTORS_MAX} event selectors; ${selectors.length} were given.`)
  let values = 0
  for (const selector of selectors) {
    const {
      ReadWriteType: readOrWrite,
      IncludeManagementEvents: includesManagement = true,
      ExcludeManagementEventSources: excluded = [],
    } = selector
    if (readOrWrite !== undefined && !['ReadOnly', 'WriteOnly', 'All'].includes(readOrWrite))
      fail(`Value ${String(readOrWrite)} for ReadWriteType is invalid. Valid values are ReadOnly, WriteOnly and All.`)
    if (excluded.length > 0 && !includesManagement) fail('ExcludeManagementEventSources requires IncludeManagementEvents to be true.')
    for (const source of excluded)
      if (!EXCLUDABLE.includes(source))
        fail(`Value ${source} for ExcludeManagementEventSources is invalid. Valid values are ${EXCLUDABLE.join(' and ')}.`)
    for (const resource of selector.DataResources ?? []) values += checkDataResource(resource)
  }
  if (values > DATA_VALUES_MAX)
    fail(`DataResources hold at most ${DATA_VALUES_MAX} values over all event selectors of a trail; ${values} were given.`)
}

/** Returns how many values count against the limit: "all of a type" does not. */
function checkDataResource({ Type: type, Values: values = [] }: { readonly Type?: string; readonly Values?: readonly string[] }): number {
  const forms = type !== undefined && Object.hasOwn(DATA_RESOURCES, type) ? DATA_RESOURCES[type] : undefined
  if (forms === undefined)
    return fail(
      `Value ${String(type)} for DataResources.Type is invalid. Valid values are ${Object.keys(DATA_RESOURCES).join(', ')}; ` +
        'use advanced event selectors for other types.',
    )
  for (const value of values)
    if (!forms.all.test(value) && !forms.one.test(value)) fail(`Value ${value} for DataResources.Values is invalid.`)
  return values.filter((value) => !forms.all.test(value)).length
}

/** Throws EventSelectorInvalid. */
export function checkAdvancedEventSelectors(selectors: readonly AdvancedEventSelector[]): void {
  if (selectors.length < 1 || selectors.length > ADVANCED_SELECTORS_MAX)
    fail(`A trail has 1 to ${ADVANCED_SELECTORS_MAX} advanced event selectors; ${selectors.length} were given.`)
  let values = 0
  for (const { Name: name, FieldSelectors: fields } of selectors) {
    if (name !== undefined && name.length > NAME_CHARS_MAX)
      fail(`The Name of an advanced event selector has at most ${NAME_CHARS_MAX} characters.`)
    if (fields === undefined || fields.length === 0)
      fail('An advanced event selector needs at least one field selector, which is eventCategory.')
    const seen = new Set<string>()
    for (const field of fields) {
      if (seen.has(field.Field))
        fail(`The field ${field.Field} stands twice in one advanced event selector; give it once with all its operators.`)
      seen.add(field.Field)
      values += checkOperators(field)
    }
    checkFields(fields)
  }
  if (values > ADVANCED_VALUES_MAX)
    fail(`Advanced event selectors hold at most ${ADVANCED_VALUES_MAX} values over all conditions of a trail; ${values} were given.`)
}

const OPERATORS = ['Equals', 'StartsWith', 'EndsWith', 'NotEquals', 'NotStartsWith', 'NotEndsWith'] as const
type Operator = (typeof OPERATORS)[number]

function operatorsOf(field: AdvancedFieldSelector): readonly Operator[] {
  return OPERATORS.filter((operator) => field[operator] !== undefined)
}

function checkOperators(field: AdvancedFieldSelector): number {
  const operators = operatorsOf(field)
  if (operators.length === 0) fail(`The field ${field.Field} needs an operator: ${OPERATORS.join(', ')}.`)
  let count = 0
  for (const operator of operators) {
    const values = field[operator] ?? []
    if (values.length === 0) fail(`The ${operator} operator of the field ${field.Field} needs at least one value.`)
    for (const value of values)
      if (typeof value !== 'string' || value.length < 1 || value.length > VALUE_CHARS_MAX)
        fail(`A value of the field ${field.Field} must have 1 to ${VALUE_CHARS_MAX} characters.`)
    count += values.length
  }
  return count
}

type Rule = 'any' | 'equals' | ((field: AdvancedFieldSelector) => string | undefined)

const READ_ONLY: Rule = (field) => (isEquals(field, ['true', 'false'], 1) ? undefined : 'takes Equals with one value, true or false')

const WHOLE_ARN = /^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+/s

/** Which fields a trail's selector may use in each category, and how. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Management: {
    eventCategory: 'equals',
    readOnly: READ_ONLY,
    eventSource: (field) =>
      operatorsOf(field).join() === 'NotEquals' && field.NotEquals?.every((value) => EXCLUDABLE.includes(value)) === true
        ? undefined
        : `takes NotEquals with ${EXCLUDABLE.join(' or ')} for management events of a trail`,
  },
  Data: {
    eventCategory: 'equals',
    readOnly: READ_ONLY,
    eventSource: 'any',
    eventName: 'any',
    eventType: 'any',
    'resources.type': (field) =>
      operatorsOf(field).join() === 'Equals' &&
      field.Equals?.length === 1 &&
      /^AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+$/.test(field.Equals[0] ?? '')
        ? undefined
        : 'takes Equals with exactly one type, such as AWS::SNS::Topic',
    'resources.ARN': (field) =>
      [...(field.Equals ?? []), ...(field.NotEquals ?? [])].every((value) => WHOLE_ARN.test(value))
        ? undefined
        : 'takes a whole ARN with Equals and NotEquals; use StartsWith or EndsWith for a part of one',
    'userIdentity.arn': 'any',
    sessionCredentialFromConsole: (field) =>
      operatorsOf(field).every((operator) => (operator === 'Equals' || operator === 'NotEquals') && field[operator]?.join() === 'true')
        ? undefined
        : 'takes Equals or NotEquals with true',
  },
  NetworkActivity: {
    eventCategory: 'equals',
    eventSource: 'equals',
    eventName: 'any',
    'userIdentity.arn': 'any',
    vpcEndpointId: 'any',
    errorCode: (field) => (isEquals(field, ['VpceAccessDenied'], 1) ? undefined : 'takes Equals with VpceAccessDenied'),
  },
}

const REQUIRED: Readonly<Record<string, string>> = { Data: 'resources.type', NetworkActivity: 'eventSource' }

function checkFields(fields: readonly AdvancedFieldSelector[]): void {
  const category = fields.find(({ Field }) => Field === 'eventCategory')
  const name = category?.Equals?.[0]
  const rules = name !== undefined && Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
  if (category === undefined || name === undefined || rules === undefined || !isEquals(category, Object.keys(FIELDS), 1))
    return fail(`An advanced event selector needs the field eventCategory with Equals and one value: ${Object.keys(FIELDS).join(', ')}.`)
  const required = REQUIRED[name]
  if (required !== undefined && !fields.some(({ Field }) => Field === required))
    fail(`An advanced event selector of the eventCategory ${name} needs the field ${required}.`)
  for (const field of fields) {
    const rule = Object.hasOwn(rules, field.Field) ? rules[field.Field] : undefined
    if (rule === undefined)
      fail(`The field ${field.Field} is not valid for the eventCategory ${name}; valid are ${Object.keys(rules).join(', ')}.`)
    else if (rule === 'equals' && operatorsOf(field).join() !== 'Equals') fail(`The field ${field.Field} takes Equals alone.`)
    else if (typeof rule === 'function') {
      const problem = rule(field)
      if (problem !== undefined) fail(`The field ${field.Field} ${problem}.`)
    }
  }
}

function isEquals(field: AdvancedFieldSelector, allowed: readonly string[], valuesMax: number): boolean {
  const values = field.Equals ?? []
  return operatorsOf(field).join() === 'Equals' && values.length <= valuesMax && values.every((value) => allowed.includes(value))
}

function fail(message: string): never {
  throw new EventSelectorInvalid(message)
}

// The matcher under test, asked for a case of the corpus.
import { FilterPolicyError } from '../../src/model/filter-policy/filter-policy-error.ts'
import { type FilterPolicy, parseFilterPolicy } from '../../src/model/filter-policy/parse-policy.ts'
import { type FilteredMessage, passesFilter } from '../../src/model/filter-policy/subscription-filters.ts'
import { type Case, textOf } from './naive.ts'

export function policyOf({ policy, scope }: Case): FilterPolicy | undefined {
  return parseFilterPolicy(textOf(policy), scope ?? 'MessageAttributes')
}

/** Whether the policy keeps within its limits. */
export function isGood(one: Case): boolean {
  try {
    return policyOf(one) !== undefined
  } catch (error) {
    if (error instanceof FilterPolicyError) return false
    throw error
  }
}

export function messageOf({ attributes, body }: Case): FilteredMessage {
  return {
    attributes: Object.fromEntries(Object.entries(attributes ?? {}).map(([name, [type, value]]) => [name, { type, value }])),
    body: textOf(body),
  }
}

export function verdict(one: Case): boolean {
  const policy = policyOf(one)
  return policy === undefined || passesFilter(policy, messageOf(one), 'sqs')
}

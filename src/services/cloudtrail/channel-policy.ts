// The resource policy of a channel: whose it is, and what is accepted as one.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { PolicyError } from '../../model/access-policy/policy-error.ts'
import { actionsOf, type CompiledPolicy, compilePolicy, resourcesOf } from '../../model/access-policy/policy.ts'
import { parseArn } from '../../model/arn.ts'
import { type Channel, channelArnOf } from '../../model/channel.ts'
import { Table } from '../../model/tables.ts'
import { channelErrors } from './channel-errors.ts'

const POLICY_CHARS_MAX = 8192
const ACTION = 'cloudtrail-data:PutAuditEvents'

/** The channel's ARN. Throws ResourceARNNotValidException and ResourceTypeNotSupportedException. */
export function policyChannelArn(arn: string, call: Call): string {
  const parsed = parseArn(arn)
  if (parsed?.service !== 'cloudtrail') throw channelErrors.policyArn(arn.slice(0, 300))
  if (!parsed.resource.startsWith('channel/')) throw channelErrors.policyType(arn)
  if (channelArnOf(arn, call.account, call.region) === undefined) throw channelErrors.policyArn(arn)
  return arn
}

/** Throws ResourceNotFoundException as well. */
export function policyChannel(tables: TableReader, call: Call, arn: string): Channel {
  const channel = tables.get(Table.channels, policyChannelArn(arn, call))
  if (channel === undefined || channel.region !== call.region) throw channelErrors.policyResource(arn)
  return channel
}

/** Throws ResourcePolicyNotValidException, with the element at fault. */
export function checkChannelPolicy(text: string, arn: string): void {
  if (text.length < 1 || text.length > POLICY_CHARS_MAX)
    throw channelErrors.policyInvalid(`ResourcePolicy must have 1 to ${POLICY_CHARS_MAX} characters, not ${text.length}.`)
  let policy: CompiledPolicy
  try {
    policy = compilePolicy(text, { kind: 'resource' })
  } catch (error) {
    throw error instanceof PolicyError ? channelErrors.policyInvalid(`ResourcePolicy is not valid: ${error.message}`) : error
  }
  for (const action of actionsOf(policy))
    if (action.toLowerCase() !== ACTION.toLowerCase())
      throw channelErrors.policyInvalid(`ResourcePolicy has the Action ${action}; the policy of a channel takes ${ACTION}.`)
  for (const resource of resourcesOf(policy))
    if (resource !== arn)
      throw channelErrors.policyInvalid(`ResourcePolicy has the Resource ${resource}; it must be the channel itself, ${arn}.`)
}

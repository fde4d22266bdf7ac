// Whether a principal may do what it asks: the identity side, the resource's own policy and the conditions of the call, by AWS's
// evaluation logic (model/access-policy). Later identity policies and roles come in here without touching an operation.
import { denialText, evaluate } from '../model/access-policy/evaluate.ts'
import { parseArn } from '../model/arn.ts'
import { hasDeny } from './policies.ts'
import type { AnyOperation, Call, Service } from './operation.ts'
import type { TableReader } from './tables.ts'

export interface Authorize {
  /** Throws the service's refusal. */
  check(service: Service, operation: AnyOperation, call: Call, input: unknown): void
  /** The same for one more action of the call, by its name and the resource's ARN. */
  require(service: Service, call: Call, action: string, resource: string): void
}

export function createAuthorize(tables: TableReader): Authorize {
  const decide = (
    service: Service,
    call: Call,
    action: string,
    resource: string | undefined,
    conditions: () => Readonly<Record<string, string | readonly string[]>> | undefined,
  ): void => {
    const found = resource === undefined ? undefined : service.resourcePolicy?.(tables, resource)
    const owner = found?.owner ?? ownerOf(resource, call)
    // The everyday case: the account itself, on its own resource whose policy denies nobody, needs no evaluation.
    if (call.principal.type === 'root' && owner === call.account && (found?.policy === undefined || !hasDeny(found.policy))) return
    const decision = evaluate(
      {
        principal: call.principal,
        action: `${service.name}:${action}`,
        resource: resource ?? '*',
        context: { ...contextOf(call, owner), ...conditions() },
      },
      { resourceOwner: owner, resourcePolicy: found?.policy },
    )
    if (decision.allowed) return
    const principalArn = call.principal.arn === '' ? (call.principal.service ?? 'anonymous') : call.principal.arn
    throw service.accessDenied(
      denialText({ principalArn, action: `${service.actionPrefix}:${action}`, resource: resource ?? '*', decision }),
    )
  }
  return {
    check(service, operation, call, input) {
      if (operation.ungated === true || call.principal.type === 'operator') return
      const resource = operation.resource?.(input as never, call)
      const action = typeof operation.action === 'function' ? operation.action(input as never) : (operation.action ?? operation.name)
      decide(service, call, action, resource, () => operation.conditions?.(input as never, call, tables))
    },
    require(service, call, action, resource) {
      if (call.principal.type !== 'operator') decide(service, call, action, resource, () => undefined)
    },
  }
}

function ownerOf(resource: string | undefined, call: Call): string {
  const account = resource === undefined ? '' : (parseArn(resource)?.account ?? '')
  return account === '' ? call.account : account
}

/** The global condition keys (IAM user guide, "AWS global condition context keys"), lower case. */
function contextOf(call: Call, owner: string): Record<string, string | string[]> {
  const { principal } = call
  return {
    'aws:sourceip': call.sourceIp,
    'aws:useragent': call.userAgent,
    'aws:securetransport': call.tls === undefined ? 'false' : 'true',
    'aws:currenttime': new Date(call.arrivedAt).toISOString(),
    'aws:epochtime': String(Math.floor(call.arrivedAt / 1000)),
    'aws:requestedregion': call.region,
    ...(PRINCIPAL_TYPE[principal.type] !== undefined && { 'aws:principaltype': PRINCIPAL_TYPE[principal.type] }),
    'aws:principalisawsservice': principal.type === 'service' ? 'true' : 'false',
    ...(principal.arn !== '' && { 'aws:principalarn': principal.arn }),
    ...(principal.account !== '' &&
      principal.type !== 'service' && { 'aws:principalaccount': principal.account, 'aws:sourceowner': principal.account }),
    ...(principal.service !== undefined && { 'aws:principalservicename': principal.service, 'aws:sourceaccount': principal.account }),
    ...(owner !== '' && { 'aws:resourceaccount': owner }),
    ...call.conditions,
  }
}

const PRINCIPAL_TYPE: Readonly<Record<string, string>> = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  anonymous: 'Anonymous',
}

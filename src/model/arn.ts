// Amazon Resource Names: arn:partition:service:region:account:resource. The resource part may hold colons of its own.

export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

const ARNS_KEPT_MAX = 10_000
/** A server sees the same few ARNs again and again: each is parsed once. */
const parsed = new Map<string, Arn>()

/** The parts, or undefined when `text` does not have at least six parts or does not start with `arn`. */
export function parseArn(text: string): Arn | undefined {
  let arn = parsed.get(text)
  if (arn !== undefined) return arn
  arn = splitArn(text)
  if (parsed.size >= ARNS_KEPT_MAX) parsed.clear()
  // Callers' texts may be long, and what is no ARN need not be remembered.
  if (arn !== undefined && text.length <= ARN_CHARS_KEPT_MAX) parsed.set(text, arn)
  return arn
}

const ARN_CHARS_KEPT_MAX = 512

function splitArn(text: string): Arn | undefined {
  const [prefix, partition, service, region, account, ...rest] = text.split(':')
  if (prefix !== 'arn' || partition === undefined || service === undefined || region === undefined || account === undefined)
    return undefined
  if (rest.length === 0) return undefined
  return { partition, service, region, account, resource: rest.join(':') }
}

export function formatArn({ partition, service, region, account, resource }: Arn): string {
  return `arn:${partition}:${service}:${region}:${account}:${resource}`
}

export function isAccountId(text: string): boolean {
  return /^\d{12}$/.test(text)
}

/** AWS names its partitions by region prefix (AWS General Reference, "Amazon Resource Names"). */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return 'aws'
}

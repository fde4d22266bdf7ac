// The principals that statements of data protection policies name.
import { parseArn } from '../arn.ts'

/** As in access policies: `*` is everybody, a root stands for its account, a role for its sessions. */
export function isNamed({ arn, account }: { readonly arn: string; readonly account: string }, named: string): boolean {
  if (named === '*' || named === arn) return true
  const parsed = parseArn(named)
  if (parsed === undefined || parsed.account !== account || account === '') return false
  if (parsed.resource === 'root') return true
  const role = /^role\/(?:.*\/)?([^/]+)$/.exec(parsed.resource)?.[1]
  return role !== undefined && parseArn(arn)?.resource.startsWith(`assumed-role/${role}/`) === true
}

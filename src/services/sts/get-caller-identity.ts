// GetCallerIdentity: who am I? Everybody's first command; no policy can forbid it.
import type { Operation } from '../../engine/operation.ts'

interface GetCallerIdentityOutput {
  readonly UserId: string
  readonly Account: string
  readonly Arn: string
}

export const getCallerIdentity: Operation<Readonly<Record<string, never>>, GetCallerIdentityOutput> = {
  name: 'GetCallerIdentity',
  access: 'read',
  ungated: true,
  run: (_tx, _input, { principal }) => ({ UserId: principal.principalId, Account: principal.account, Arn: principal.arn }),
}

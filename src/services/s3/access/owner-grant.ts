// Access control lists as S3 has them where they are disabled (S3 user guide, "Controlling ownership of objects"): the bucket's owner has
// full control of everything, nobody else has any, and a list that says otherwise is refused.
import { canonicalUserId } from '../canonical-user-id.ts'
import { errors } from '../errors.ts'

export interface AclOutput {
  readonly Owner: { readonly ID: string }
  readonly Grants: readonly object[]
}

interface Policy {
  readonly Grants?: readonly { readonly Grantee?: { readonly ID?: string }; readonly Permission?: string }[]
}

export interface AclInput {
  readonly ACL?: string
  readonly AccessControlPolicy?: Policy
  readonly GrantFullControl?: string
  readonly GrantRead?: string
  readonly GrantReadACP?: string
  readonly GrantWrite?: string
  readonly GrantWriteACP?: string
}

export function ownerAcl(owner: string): AclOutput {
  const ID = canonicalUserId(owner)
  return { Owner: { ID }, Grants: [{ Grantee: { Type: 'CanonicalUser', ID }, Permission: 'FULL_CONTROL' }] }
}

/** Throws AccessControlListNotSupported for all but the list that holds anyway. */
export function checkAcl(input: AclInput, owner: string, canned: string): void {
  const { ACL: acl, AccessControlPolicy: policy } = input
  const given = [acl, policy, input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP]
  if (given.every((value) => value === undefined))
    throw errors.invalidRequest('Name an access control list: in x-amz-acl, in x-amz-grant-* headers, or in the body.')
  const ownersOnly = given.slice(2).every((value) => value === undefined) && (acl === undefined || acl === canned)
  const isOwners = policy?.Grants?.every(
    ({ Grantee: grantee, Permission: permission }) => grantee?.ID === canonicalUserId(owner) && permission === 'FULL_CONTROL',
  )
  if (!ownersOnly || isOwners === false) throw errors.aclNotSupported()
}

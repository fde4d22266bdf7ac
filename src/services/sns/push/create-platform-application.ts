// CreatePlatformApplication: an account's access to a push service. Idempotent for the same properties under the same name.
import type { CreatePlatformApplicationInput, CreatePlatformApplicationResponse } from '@aws-sdk/client-sns'
import { PLATFORMS, type PlatformApplication, applicationArn as arnOf, isDelivered } from '../../../model/platform.ts'
import { Table } from '../../../model/tables.ts'
import type { Call } from '../../../engine/operation.ts'
import { invalidParameter, requireMembers } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'
import {
  type ApplicationChange,
  changedApplication,
  checkCredentials,
  openCredentials,
  readApplicationAttributes,
} from './application-attributes.ts'
import { hiddenAttributes } from './recorded.ts'

const NAME_CHARS_MAX = 256

export const createPlatformApplication: SnsOperation<CreatePlatformApplicationInput, CreatePlatformApplicationResponse> = (parts) => ({
  name: 'CreatePlatformApplication',
  access: 'write',
  record: {
    parameters: ({ Name: name, Platform: platform, Attributes }) => ({ name, platform, attributes: hiddenAttributes(Attributes) }),
  },
  run(tx, input, call) {
    const given = requireMembers(input.Attributes, 'attributes')
    const name = checkName(input.Name ?? '')
    const platform = input.Platform ?? ''
    if (!PLATFORMS.has(platform)) throw invalidParameter(`Platform Reason: ${platform} is not supported`)
    if (parts.credentialsProblem !== undefined && !isDelivered(platform))
      throw invalidParameter(`Platform Reason: ${platform} is not offered by this version of Sealcast: it delivers to APNs and FCM (GCM)`)
    const applicationArn = arnOf(call, platform, name)
    const change = readApplicationAttributes(tx, applicationArn, platform, given)
    if (change.credentials === undefined) throw invalidParameter('Attributes Reason: PlatformCredential attribute required')
    const draft: PlatformApplication = {
      applicationArn,
      platform,
      name,
      owner: call.account,
      createdAt: tx.now,
      generation: call.env.random.uuid(),
      sealedCredential: '',
      attributes: { Enabled: 'true' },
    }
    const application = changedApplication(draft, change, call.env.seal)
    checkCredentials(parts, application, change, call.env.seal)
    const existing = tx.get(Table.platformApplications, applicationArn)
    if (existing === undefined) tx.put(Table.platformApplications, applicationArn, application)
    else if (!isEqual(existing, application, change, call))
      throw invalidParameter('Name Reason: An application with the same name but different properties already exists')
    return { PlatformApplicationArn: applicationArn }
  },
})

function checkName(name: string): string {
  const refuse = (problem: string) => invalidParameter(`${name} Reason: ${problem}`)
  if (name === '') throw refuse('cannot be empty')
  if (name.length > NAME_CHARS_MAX) throw refuse(`must be at most ${NAME_CHARS_MAX} characters long`)
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw refuse("must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'")
  return name
}

function isEqual(existing: PlatformApplication, wanted: PlatformApplication, { credentials }: ApplicationChange, call: Call): boolean {
  const known = openCredentials(existing, call.env.seal)
  return (
    known.credential === credentials?.credential &&
    known.principal === credentials?.principal &&
    sorted(existing.attributes) === sorted(wanted.attributes)
  )
}

function sorted(attributes: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

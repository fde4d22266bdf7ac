// Push platforms: applications (an account's access to a push service) and endpoints (one app on one device). What SNS's operations keep,
// and what whoever delivers a push reads: the credentials, whether the application and the endpoint are enabled, the device's token.
import { createHash } from 'node:crypto'
import { parseArn } from './arn.ts'

export const PLATFORMS: ReadonlySet<string> = new Set([
  'ADM',
  'APNS',
  'APNS_SANDBOX',
  'APNS_VOIP',
  'APNS_VOIP_SANDBOX',
  'BAIDU',
  'GCM',
  'MACOS',
  'MACOS_SANDBOX',
  'MPNS',
  'WNS',
])

export interface PlatformApplication {
  readonly applicationArn: string
  readonly platform: string
  readonly name: string
  readonly owner: string
  readonly createdAt: number
  /** Tells it from an application of the same name before it. */
  readonly generation: string
  /** PlatformCredential: client secret, private key, signing key, server key or service account, as the platform has it. */
  readonly sealedCredential: string
  /** PlatformPrincipal: client id, certificate or id of the signing key. GCM has none. */
  readonly sealedPrincipal?: string
  /** Enabled and what else is set and no secret, by AWS's names, as texts. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface PlatformEndpoint {
  readonly endpointArn: string
  readonly applicationArn: string
  /** That of the application. */
  readonly generation: string
  readonly createdAt: number
  readonly token: string
  readonly isEnabled: boolean
  readonly customUserData?: string
}

/** What an application's secrets are sealed for. */
export function platformSecretContext({ applicationArn }: Pick<PlatformApplication, 'applicationArn'>): string {
  return `platform application ${applicationArn}`
}

/** Under what names the text for a platform may stand in a message of several texts, the first that is there. */
export function textNamesOf(endpointArn: string): readonly string[] {
  const platform = parseArn(endpointArn)?.resource.split('/')[1] ?? ''
  return platform === 'GCM' ? ['GCM', 'FCM'] : [platform]
}

export function isApple(platform: string): boolean {
  return platform.startsWith('APNS') || platform.startsWith('MACOS')
}

/** Whether its push service is one of those that are spoken to here. */
export function isDelivered(platform: string): boolean {
  return isApple(platform) || platform === 'GCM'
}

/** `arn:aws:sns:REGION:ACCOUNT:app/PLATFORM/NAME` */
export function applicationArn(place: Place, platform: string, name: string): string {
  return `${placeOf(place)}app/${platform}/${name}`
}

/** What the ARNs of all applications of an account in a region begin with. */
export function applicationsPrefix(place: Place): string {
  return `${placeOf(place)}app/`
}

/** What the ARNs of an application's endpoints begin with; a UUID follows. */
export function endpointsPrefix(applicationArn: string): string {
  return `${applicationArn.replace(/:app\//, ':endpoint/')}/`
}

/** The application's ARN by that of one of its endpoints. */
export function applicationOfEndpoint(endpointArn: string): string {
  return endpointArn.slice(0, endpointArn.lastIndexOf('/')).replace(/:endpoint\//, ':app/')
}

/** Where an application's endpoint is found by the device's token. */
export function tokenKey(applicationArn: string, token: string): string {
  return `${applicationArn}/${createHash('sha256').update(token).digest('hex')}`
}

/** What of an endpoint is told by AWS, and by what name. */
export function endpointAttributes({ isEnabled, token, customUserData }: PlatformEndpoint): Record<string, string> {
  return { Enabled: String(isEnabled), Token: token, ...(customUserData !== undefined && { CustomUserData: customUserData }) }
}

export type PlatformEventType = 'EndpointCreated' | 'EndpointUpdated' | 'EndpointDeleted' | 'DeliveryFailure'

/** The topic that is told of such events, by the application's attribute for it. */
export function eventTopicOf({ attributes }: PlatformApplication, type: PlatformEventType): string | undefined {
  return attributes[`Event${type}`]
}

/** What the topic is told: names in alphabetical order, as AWS has them. `more` holds what the type has of its own. */
export function platformEvent(
  application: PlatformApplication,
  endpoint: Pick<PlatformEndpoint, 'endpointArn'>,
  type: PlatformEventType,
  now: number,
  more: Readonly<Record<string, unknown>> = {},
): { readonly subject: string; readonly message: string } {
  const told: Readonly<Record<string, unknown>> = {
    ...more,
    EndpointArn: endpoint.endpointArn,
    EventType: type,
    Resource: application.applicationArn,
    Service: 'SNS',
    Time: new Date(now).toISOString(),
  }
  const names = Object.keys(told).toSorted()
  return {
    subject: `${type} event for app ${application.name} (${application.platform})`.slice(0, SUBJECT_CHARS_MAX),
    message: JSON.stringify(Object.fromEntries(names.map((name) => [name, told[name]]))),
  }
}

const SUBJECT_CHARS_MAX = 100

type Place = { readonly partition: string; readonly region: string; readonly account: string }

function placeOf({ partition, region, account }: Place): string {
  return `arn:${partition}:sns:${region}:${account}:`
}

/** Platform and name in an application's ARN, or undefined. */
export function readApplicationArn(arn: string): { readonly platform: string; readonly name: string } | undefined {
  const [kind, platform = '', name = '', ...rest] = parseArn(arn)?.resource.split('/') ?? []
  return kind === 'app' && rest.length === 0 && platform !== '' && name !== '' ? { platform, name } : undefined
}

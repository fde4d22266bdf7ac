// The attributes of a platform application: its credentials, which are sealed and never told, and the rest.
import { X509Certificate } from 'node:crypto'
import { parseArn } from '../../../model/arn.ts'
import { isFifoName } from '../../../model/fifo-attributes.ts'
import { type PlatformApplication, isApple, platformSecretContext } from '../../../model/platform.ts'
import type { Seal } from '../../../engine/seal.ts'
import { Table } from '../../../model/tables.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { invalidParameter } from '../errors.ts'
import { feedbackProblem } from '../feedback.ts'
import type { SnsParts } from '../operation.ts'

export interface Credentials {
  readonly credential?: string
  readonly principal?: string
}

export interface ApplicationChange {
  /** Undefined: as they were. */
  readonly credentials: Credentials | undefined
  readonly set: Readonly<Record<string, string>>
  readonly cleared: readonly string[]
}

const TOPICS: ReadonlySet<string> = new Set([
  'EventEndpointCreated',
  'EventEndpointDeleted',
  'EventEndpointUpdated',
  'EventDeliveryFailure',
])
const APPLE_ID = /^[A-Za-z0-9.-]{1,255}$/
const CREDENTIAL_CHARS_MAX = 16 * 1024
const FEEDBACK: ReadonlySet<string> = new Set(['SuccessFeedbackRoleArn', 'FailureFeedbackRoleArn', 'SuccessFeedbackSampleRate'])

/** What a request asks for, checked. `owner`: ARN of the application. */
export function readApplicationAttributes(
  tables: TableReader,
  applicationArn: string,
  platform: string,
  given: Readonly<Record<string, string>>,
): ApplicationChange {
  const set: Record<string, string> = {}
  const cleared: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (name === 'PlatformCredential' || name === 'PlatformPrincipal') continue
    const problem = problemOf(tables, applicationArn, platform, name, value)
    if (problem !== undefined) throw invalidParameter(`Attributes Reason: ${problem}`)
    if (value === '') cleared.push(name)
    else set[name] = name === 'Enabled' ? value.toLowerCase() : value
  }
  return { credentials: readCredentials(platform, given['PlatformCredential'], given['PlatformPrincipal']), set, cleared }
}

function problemOf(tables: TableReader, applicationArn: string, platform: string, name: string, value: string): string | undefined {
  const invalid = (problem: string | undefined) => (problem === undefined ? undefined : `Invalid value for attribute: ${name}: ${problem}`)
  if (FEEDBACK.has(name)) return invalid(feedbackProblem(name, value))
  if (name === 'Enabled') return invalid(/^(true|false)$/i.test(value) ? undefined : 'must be true or false')
  if (TOPICS.has(name)) return invalid(value === '' ? undefined : topicProblem(tables, applicationArn, value))
  if (isApple(platform) && (name === 'ApplePlatformTeamID' || name === 'ApplePlatformBundleID'))
    return invalid(APPLE_ID.test(value) ? undefined : 'must be an id of 1 to 255 letters, digits, dots and hyphens')
  return `Invalid attribute name: ${name}`
}

/** The server itself publishes there: to topics of the application's own owner alone. */
function topicProblem(tables: TableReader, applicationArn: string, topicArn: string): string | undefined {
  const [topic, own] = [parseArn(topicArn), parseArn(applicationArn)]
  if (topic?.service !== 'sns' || topic.region !== own?.region || topic.account !== own.account)
    return "must be the ARN of a topic of the application's account and region"
  if (isFifoName(topic.resource)) return 'must be the ARN of a standard topic'
  return tables.get(Table.topics, topicArn) === undefined ? 'Topic does not exist' : undefined
}

function readCredentials(platform: string, credential: string | undefined, principal: string | undefined): Credentials | undefined {
  for (const value of [credential, principal])
    if (value !== undefined && value.length > CREDENTIAL_CHARS_MAX) throw invalidParameter(INVALID_CREDENTIALS)
  if (platform === 'GCM') return credential === undefined || credential === '' ? undefined : { credential }
  if ((credential ?? '') === '' && (principal ?? '') === '') return undefined
  if ((credential ?? '') === '')
    throw invalidParameter('Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential')
  if ((principal ?? '') === '') throw invalidParameter('Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal')
  return { credential, principal }
}

const INVALID_CREDENTIALS = 'Attributes Reason: Platform credentials are invalid'

/** The application with what was asked for. */
export function changedApplication(
  application: PlatformApplication,
  { credentials, set, cleared }: ApplicationChange,
  seal: Seal,
): PlatformApplication {
  const kept = Object.entries(application.attributes).filter(([name]) => !cleared.includes(name))
  const attributes = { ...Object.fromEntries(kept), ...set }
  if (credentials === undefined) return { ...application, attributes }
  const { sealedPrincipal: _principal, ...others } = application
  const context = platformSecretContext(application)
  return {
    ...others,
    sealedCredential: seal.seal(credentials.credential ?? '', context),
    ...(credentials.principal !== undefined && { sealedPrincipal: seal.seal(credentials.principal, context) }),
    attributes: { ...attributes, ...toldCredentials(application.platform, credentials) },
  }
}

/** Throws AWS's refusal of credentials that the push service would not take. */
export function checkCredentials(
  { credentialsProblem }: Pick<SnsParts, 'credentialsProblem'>,
  application: PlatformApplication,
  { credentials, set, cleared }: ApplicationChange,
  seal: Seal,
): void {
  const isAboutThem = credentials !== undefined || [...Object.keys(set), ...cleared].some((name) => name.startsWith('ApplePlatform'))
  if (credentialsProblem === undefined || !isAboutThem) return
  const { platform, attributes } = application
  const { credential = '', principal } = openCredentials(application, seal)
  const problem = credentialsProblem({ platform, credential, principal, attributes })
  if (problem !== undefined) throw invalidParameter(`${INVALID_CREDENTIALS}: ${problem}`)
}

/** The credentials as they were given. Throws SealBroken. */
export function openCredentials(application: PlatformApplication, seal: Seal): Credentials {
  const context = platformSecretContext(application)
  return {
    credential: seal.open(application.sealedCredential, context),
    ...(application.sealedPrincipal !== undefined && { principal: seal.open(application.sealedPrincipal, context) }),
  }
}

/** What AWS tells of credentials: their kind, and when a certificate ends. */
function toldCredentials(platform: string, { credential = '', principal = '' }: Credentials): Record<string, string> {
  if (platform === 'GCM') return { AuthenticationMethod: credential.trimStart().startsWith('{') ? 'token' : 'key' }
  if (!isApple(platform)) return {}
  if (!principal.includes('-----BEGIN CERTIFICATE')) return { AuthenticationMethod: 'token' }
  try {
    const { validToDate } = new X509Certificate(principal)
    return { AuthenticationMethod: 'certificate', AppleCertificateExpiryDate: validToDate.toISOString().replace('.000Z', 'Z') }
  } catch {
    throw invalidParameter(INVALID_CREDENTIALS)
  }
}

// Mobile push: a message to an app on a device, through the push service of its platform. An endpoint that the service no longer knows is
// disabled, as on AWS, and the topics of its application are told of that, and of what was published straight and failed for good.
import { type Attempt, type Deliverer, type DelivererParts, type Outcome } from '../engine/deliverer.ts'
import { findEndpoint } from '../engine/platform-endpoints.ts'
import { CUSTOMER_MANAGED } from '../model/delivery-policy.ts'
import {
  type PlatformApplication,
  type PlatformEndpoint,
  endpointAttributes,
  eventTopicOf,
  isApple,
  platformSecretContext,
} from '../model/platform.ts'
import { appleRequest, firebaseRequest } from '../model/push-payload.ts'
import { Table } from '../model/tables.ts'
import { createApns } from './push/apns.ts'
import { createFirebase } from './push/firebase.ts'
import type { Pushed, PushService } from './push/service.ts'

export function createApplication(parts: DelivererParts): Deliverer {
  const { providers } = parts
  const push = providers.push.kind === 'capture' ? captureWith(parts) : servicesOf(parts, providers.push)
  return {
    protocols: ['application'],
    isCapture: providers.push.kind === 'capture',
    // Whether there is such an endpoint, SNS knows itself.
    validate: () => undefined,
    async deliver(attempt) {
      const found = destinationOf(parts, attempt.endpoint)
      if (found === undefined) return { kind: 'refused', reason: 'Endpoint does not exist' }
      const { isGone = false, ...outcome } = found.refusal === undefined ? await push(attempt, found) : refused(found.refusal)
      const failure = failureOf(outcome, { isGone, isDisabled: found.refusal !== undefined, number: attempt.number ?? 1 })
      if (failure !== undefined) await tellFailure(parts, attempt, found, failure)
      return outcome
    },
  }
}

interface Destination {
  readonly application: PlatformApplication
  readonly endpoint: PlatformEndpoint
  /** Why nothing goes there now. */
  readonly refusal: string | undefined
}

type PushTo = (attempt: Attempt, destination: Destination) => Promise<Pushed>

function destinationOf({ tables }: DelivererParts, endpointArn: string): Destination | undefined {
  const endpoint = findEndpoint(tables, endpointArn)
  const application = endpoint && tables.get(Table.platformApplications, endpoint.applicationArn)
  if (endpoint === undefined || application === undefined) return undefined
  const isOff = application.attributes['Enabled'] !== 'true'
  return {
    application,
    endpoint,
    refusal: isOff ? 'Platform application is disabled' : endpoint.isEnabled ? undefined : 'Endpoint is disabled',
  }
}

function refused(reason: string): Pushed {
  return { kind: 'refused', reason }
}

interface Failure {
  readonly isGone: boolean
  readonly type: 'InvalidPlatformToken' | 'EndpointDisabled' | 'NotificationRefused' | 'RetriesExhausted'
  readonly reason: string
}

/** Of an attempt that no other follows. */
function failureOf(
  outcome: Outcome,
  { isGone, isDisabled, number }: { readonly isGone: boolean; readonly isDisabled: boolean; readonly number: number },
): Failure | undefined {
  if (outcome.kind === 'delivered' || (outcome.kind === 'retry' && number <= CUSTOMER_MANAGED.retry.numRetries)) return undefined
  if (isGone) return { isGone, type: 'InvalidPlatformToken', reason: 'Platform token associated with the endpoint is not valid' }
  const type = outcome.kind === 'retry' ? 'RetriesExhausted' : isDisabled ? 'EndpointDisabled' : 'NotificationRefused'
  return { isGone, type, reason: outcome.reason }
}

function servicesOf(parts: DelivererParts, { apnsUrl, fcmUrl }: { readonly apnsUrl?: string; readonly fcmUrl?: string }): PushTo {
  const apns = createApns({ ...parts, url: apnsUrl })
  const firebase = createFirebase({ ...parts, url: fcmUrl })
  const serviceOf = (platform: string): PushService | undefined => (isApple(platform) ? apns : platform === 'GCM' ? firebase : undefined)
  return async ({ notification }, { application, endpoint }) => {
    const { platform, sealedCredential, sealedPrincipal } = application
    const service = serviceOf(platform)
    // Its application was made while push was captured.
    if (service === undefined) return { kind: 'refused', reason: `nothing delivers to ${platform} here` }
    const context = platformSecretContext(application)
    return service.push({
      ...{ notification, application, endpoint },
      credential: parts.seal.open(sealedCredential, context),
      principal: sealedPrincipal === undefined ? undefined : parts.seal.open(sealedPrincipal, context),
    })
  }
}

/** What would go out, in the form of its platform. */
function captureWith({ captured, now }: DelivererParts): PushTo {
  return async ({ notification, endpoint: to }, { application, endpoint }) => {
    const { platform, attributes } = application
    const { endpointArn, token } = endpoint
    const asApple = isApple(platform)
      ? appleRequest(notification, { platform, endpointArn, bundleId: attributes['ApplePlatformBundleID'] }, now())
      : undefined
    const asGoogle = platform === 'GCM' ? firebaseRequest(notification, { token, endpointArn }, now()) : undefined
    const made = asApple ?? asGoogle ?? { body: notification.message }
    if ('problem' in made) return { kind: 'refused', reason: made.problem }
    const { messageId, topicArn, subscriptionArn, subject } = notification
    await captured.keep({
      ...{ protocol: 'application', to, messageId },
      ...(topicArn !== '' && { topicArn, subscriptionArn }),
      ...(subject !== undefined && { subject }),
      body: 'payload' in made ? made.payload : made.body,
      headers: { Platform: platform, Token: token, ...('headers' in made && made.headers) },
    })
    return { kind: 'delivered', captured: true }
  }
}

/** What becomes known of an endpoint by a push that failed for good, in one commit. */
async function tellFailure(
  { commits, acts, tellPlatformEvent }: DelivererParts,
  { notification, number = 1 }: Attempt,
  { endpoint: { endpointArn, token }, application }: Destination,
  failure: Failure,
): Promise<void> {
  const isStraight = notification.topicArn === ''
  if (!failure.isGone && !(isStraight && eventTopicOf(application, 'DeliveryFailure') !== undefined)) return
  await commits.commit((tx) => {
    const current = findEndpoint(tx, endpointArn)
    if (current === undefined) return
    // It may have got another token meanwhile.
    if (failure.isGone && current.token === token && current.isEnabled) {
      const disabled = { ...current, isEnabled: false }
      tx.put(Table.platformEndpoints, endpointArn, disabled)
      acts.tell(tx, { name: 'PlatformEndpointDisabled', details: { endpointArn, applicationArn: current.applicationArn } })
      tellPlatformEvent(tx, application, disabled, 'EndpointUpdated', { Attributes: endpointAttributes(disabled) })
    }
    if (isStraight)
      tellPlatformEvent(tx, application, current, 'DeliveryFailure', {
        DeliveryAttempts: number,
        FailureMessage: failure.reason,
        FailureType: failure.type,
        MessageId: notification.messageId,
      })
  }).done
}

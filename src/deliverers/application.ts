// Mobile push: a message to an app on a device, through the push service of its platform. An endpoint that the service no longer knows is
// disabled, as on AWS, and the topics of its application are told.
import { type Attempt, type Deliverer, type DelivererParts, type Outcome } from '../engine/deliverer.ts'
import { findEndpoint } from '../engine/platform-endpoints.ts'
import { type PlatformApplication, type PlatformEndpoint, isApple, platformSecretContext } from '../model/platform.ts'
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
      if ('reason' in found) return found
      const { isGone, ...outcome } = await push(attempt, found)
      if (isGone === true) await disable(parts, found)
      return outcome
    },
  }
}

interface Destination {
  readonly application: PlatformApplication
  readonly endpoint: PlatformEndpoint
}

type PushTo = (attempt: Attempt, destination: Destination) => Promise<Pushed>

function destinationOf({ tables }: DelivererParts, endpointArn: string): Destination | (Outcome & { readonly reason: string }) {
  const endpoint = findEndpoint(tables, endpointArn)
  const application = endpoint && tables.get(Table.platformApplications, endpoint.applicationArn)
  if (endpoint === undefined || application === undefined) return { kind: 'refused', reason: 'Endpoint does not exist' }
  if (application.attributes['Enabled'] !== 'true') return { kind: 'refused', reason: 'Platform application is disabled' }
  return endpoint.isEnabled ? { application, endpoint } : { kind: 'refused', reason: 'Endpoint is disabled' }
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
function captureWith({ captured, clock }: DelivererParts): PushTo {
  return async ({ notification, endpoint: to }, { application, endpoint }) => {
    const { platform, attributes } = application
    const { endpointArn, token } = endpoint
    const asApple = isApple(platform)
      ? appleRequest(notification, { platform, endpointArn, bundleId: attributes['ApplePlatformBundleID'] }, clock.now())
      : undefined
    const asGoogle = platform === 'GCM' ? firebaseRequest(notification, { token, endpointArn }, clock.now()) : undefined
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

/** The endpoint may have got another token meanwhile, or be gone. */
async function disable(
  { commits, acts }: DelivererParts,
  { endpoint: { endpointArn, applicationArn, token } }: Destination,
): Promise<void> {
  await commits.commit((tx) => {
    const current = findEndpoint(tx, endpointArn)
    if (current?.token !== token || !current.isEnabled) return
    tx.put(Table.platformEndpoints, endpointArn, { ...current, isEnabled: false })
    acts.tell(tx, { name: 'PlatformEndpointDisabled', details: { endpointArn, applicationArn } })
  }).done
}

// What goes out to a push service for a notification: a platform's own text as it was given, anything else in the envelope that AWS puts
// around a plain text; and what message attributes and the text ask of the service.
// Sources: SNS developer guide, "Publishing notifications with platform-specific payload", "Amazon SNS mobile push time to live",
// "Firebase Cloud Messaging"; Apple, "Sending notification requests to APNs"; Firebase, "Method: projects.messages.send".
import type { MessageAttribute } from './message.ts'
import type { Notification } from './notification.ts'
import { textNamesOf } from './platform.ts'

type Attributes = Readonly<Record<string, MessageAttribute>>
type Json = Readonly<Record<string, unknown>>

/** It cannot be sent, and why. */
export interface Unfit {
  readonly problem: string
}

export interface AppleRequest {
  readonly payload: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/** AWS keeps it for four weeks where nobody says how long. */
const TTL_SECONDS_DEFAULT = 4 * 7 * 24 * 3600
const NO_JSON = 'the text for the platform must be a JSON object'
const OUTLIVED = 'the message outlived its TTL'

/** `bundleId`: the app, undefined where the service knows it by the certificate. `now`: milliseconds since 1970. */
export function appleRequest(
  notification: Notification,
  endpoint: { readonly platform: string; readonly endpointArn: string; readonly bundleId: string | undefined },
  now: number,
): AppleRequest | Unfit {
  const { attributes = {}, message, messageId, publishedAt } = notification
  const isOwn = isPlatformText(notification, endpoint.endpointArn)
  const parsed = isOwn ? objectOf(message) : { aps: { alert: message } }
  if (parsed === undefined) return { problem: NO_JSON }
  const ttl = ttlOf(attributes, [endpoint.platform, 'APNS'])
  if (ttl !== undefined && ttl > 0 && publishedAt + ttl * 1000 <= now) return { problem: OUTLIVED }
  const valueOf = (name: string): string | undefined => attributes[`AWS.SNS.MOBILE.APNS.${name}`]?.value
  const isVoip = endpoint.platform.includes('VOIP')
  const topic = valueOf('TOPIC') ?? (endpoint.bundleId === undefined ? undefined : `${endpoint.bundleId}${isVoip ? '.voip' : ''}`)
  const type = valueOf('PUSH_TYPE') ?? (isVoip ? 'voip' : isBackground(parsed) ? 'background' : 'alert')
  const expiration = ttl === 0 ? 0 : Math.floor(publishedAt / 1000) + (ttl ?? TTL_SECONDS_DEFAULT)
  const collapseId = valueOf('COLLAPSE_ID')
  const headers: Record<string, string> = {
    'apns-push-type': type,
    'apns-priority': valueOf('PRIORITY') ?? (type === 'background' ? '5' : '10'),
    'apns-expiration': String(expiration),
    ...(topic !== undefined && { 'apns-topic': topic }),
    ...(collapseId !== undefined && { 'apns-collapse-id': collapseId }),
    ...(/^[0-9a-f-]{36}$/i.test(messageId) && { 'apns-id': messageId }),
  }
  const unfit = Object.entries(headers).find(([, value]) => !/^[\x21-\x7e]{1,256}$/.test(value))
  if (unfit !== undefined) return { problem: `${unfit[0]} must have 1 to 256 visible ASCII characters` }
  return { payload: isOwn ? message : JSON.stringify(parsed), headers }
}

/** The request to `messages:send`. */
export function firebaseRequest(
  notification: Notification,
  { token, endpointArn }: { readonly token: string; readonly endpointArn: string },
  now: number,
): { readonly body: string } | Unfit {
  const { attributes = {}, message, publishedAt } = notification
  const given = isPlatformText(notification, endpointArn) ? objectOf(message) : { data: { default: message } }
  if (given === undefined) return { problem: NO_JSON }
  const own = objectIn(objectIn(given, 'fcmV1Message'), 'message')
  if ('fcmV1Message' in given && own === undefined) return { problem: 'fcmV1Message must hold a message' }
  const isCheck = given['dry_run'] === true || objectIn(given, 'fcmV1Message')?.['validate_only'] === true
  const made: Json = own ?? fromLegacy(given)
  const ttl = ttlOf(attributes, ['FCM', 'GCM'])
  if (ttl !== undefined && ttl > 0 && publishedAt + ttl * 1000 <= now) return { problem: OUTLIVED }
  const android = { ...objectIn(made, 'android'), ...(ttl !== undefined && { ttl: `${ttl}s` }) }
  // Whoever wrote the text does not choose the device.
  const { topic: _topic, condition: _condition, ...rest } = made
  const sent = { ...rest, ...(Object.keys(android).length > 0 && { android }), token }
  return { body: JSON.stringify({ ...(isCheck && { validate_only: true }), message: sent }) }
}

/** Texts of the former API of Firebase, which most applications still publish, in the form of the present one. */
function fromLegacy(given: Json): Json {
  const notification = objectIn(given, 'notification')
  const picked = (from: Json | undefined, names: Readonly<Record<string, string>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(names).flatMap(([name, as]) => (from?.[name] === undefined ? [] : [[as, from[name]]])))
  const ttl = given['time_to_live']
  const forAndroid = picked(notification, ANDROID_NAMES)
  const android = {
    ...picked(given, { collapse_key: 'collapse_key', restricted_package_name: 'restricted_package_name' }),
    ...(typeof given['priority'] === 'string' && { priority: given['priority'] }),
    ...(typeof ttl === 'number' && { ttl: `${ttl}s` }),
    ...(Object.keys(forAndroid).length > 0 && { notification: forAndroid }),
  }
  const aps = {
    ...(given['content_available'] === true && { 'content-available': 1 }),
    ...(given['mutable_content'] === true && { 'mutable-content': 1 }),
    ...picked(notification, { badge: 'badge', subtitle: 'subtitle' }),
  }
  const data = objectIn(given, 'data')
  return {
    ...(notification !== undefined && { notification: picked(notification, { title: 'title', body: 'body', image: 'image' }) }),
    ...(data !== undefined && { data: texts(data) }),
    ...(Object.keys(android).length > 0 && { android }),
    ...(Object.keys(aps).length > 0 && { apns: { payload: { aps } } }),
  }
}

const ANDROID_NAMES: Readonly<Record<string, string>> = {
  android_channel_id: 'channel_id',
  icon: 'icon',
  sound: 'sound',
  tag: 'tag',
  color: 'color',
  click_action: 'click_action',
  body_loc_key: 'body_loc_key',
  body_loc_args: 'body_loc_args',
  title_loc_key: 'title_loc_key',
  title_loc_args: 'title_loc_args',
}

/** The present API takes texts alone. */
function texts(data: Json): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
}

/** Seconds: that of the first platform named that has one; a text that is no count has none. */
function ttlOf(attributes: Attributes, platforms: readonly string[]): number | undefined {
  for (const platform of platforms) {
    const value = attributes[`AWS.SNS.MOBILE.${platform}.TTL`]?.value
    if (value !== undefined && /^\d{1,9}$/.test(value)) return Number(value)
  }
  return undefined
}

function isPlatformText({ textName }: Notification, endpointArn: string): boolean {
  return textName !== undefined && textNamesOf(endpointArn).includes(textName)
}

/** "Sending notification requests to APNs": nothing is shown, nothing sounds. */
function isBackground(payload: Json): boolean {
  const aps = objectIn(payload, 'aps')
  return aps?.['content-available'] === 1 && aps['alert'] === undefined && aps['sound'] === undefined && aps['badge'] === undefined
}

function objectOf(text: string): Json | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

function objectIn(from: Json | undefined, name: string): Json | undefined {
  return asObject(from?.[name])
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

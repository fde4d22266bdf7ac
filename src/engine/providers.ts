// Who delivers for each protocol that needs somebody else: as the settings name it, with its secrets from files or the environment.
import type { AwsKey } from '../model/aws-key-file.ts'
import type { LocalCommand } from './local-command.ts'

export interface ProviderOptions {
  readonly email: EmailProvider
  readonly sms: SmsProvider
  readonly push: PushProvider
  readonly lambda: LambdaProvider
  readonly firehose: FirehoseProvider
  /** Of queues that are none of this server. */
  readonly queues: QueueProvider
}

/** Nothing is configured: Subscribe refuses. */
interface NoProvider {
  readonly kind: 'none'
}

/** Kept here, for `sealcast inbox`. */
interface CaptureProvider {
  readonly kind: 'capture'
}

export interface SmtpProvider {
  readonly kind: 'smtp'
  readonly host: string
  readonly port: number
  /** TLS from the first byte on. */
  readonly isTls: boolean
  /** Nothing is sent without TLS; where it is not there from the start, STARTTLS makes it. */
  readonly needsTls: boolean
  /** The address of the sender. */
  readonly from: string
  readonly credentials?: { readonly user: string; readonly password: string }
}

export type EmailProvider = NoProvider | CaptureProvider | SmtpProvider
export interface AwsEndpoint {
  /** Scheme, host and port; `{region}` in it stands for the region of what is called. */
  readonly url: string
  /** As it is now: keys of sessions change. */
  readonly key: () => AwsKey
}

/** Called as AWS is, with a key of the operator's. */
interface EndpointProvider {
  readonly kind: 'endpoint'
  readonly endpoint: AwsEndpoint
}

/** Twilio's API, or one like it. */
export interface TwilioProvider {
  readonly kind: 'twilio'
  /** Scheme and host, without a slash at the end. */
  readonly url: string
  readonly account: string
  readonly token: string
}

/** A message centre over SMPP 3.4. */
export interface SmppProvider {
  readonly kind: 'smpp'
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly credentials: { readonly user: string; readonly password: string }
}

export interface SmsOptions {
  /** Numbers, names and messaging services that texts come from; the first where nobody names one. */
  readonly from: readonly SmsOrigin[]
  /** Of each part of a text, in US dollars, where the provider does not say. */
  readonly priceUsd: number
  /** Accounts text verified numbers alone. */
  readonly isSandbox: boolean
}

export interface SmsOrigin {
  readonly name: string
  /** Of a number: ISO 3166-1, two letters. */
  readonly country?: string
}

export type SmsProvider = NoProvider | ((CaptureProvider | TwilioProvider | SmppProvider) & SmsOptions)

/** The push services themselves, with the credentials of each platform application; `apnsUrl`, `fcmUrl`: at other places than their own. */
export type PushProvider = CaptureProvider | { readonly kind: 'services'; readonly apnsUrl?: string; readonly fcmUrl?: string }

/** Captured events may be run by something at hand. */
export type LambdaProvider = NoProvider | EndpointProvider | (CaptureProvider & { readonly runs?: LocalFunction })

export type LocalFunction =
  | { readonly kind: 'command'; readonly command: LocalCommand }
  /** `{function}` in it stands for the name of the function. */
  | { readonly kind: 'url'; readonly url: string }

export type FirehoseProvider = NoProvider | EndpointProvider | CaptureProvider

export type QueueProvider = NoProvider | EndpointProvider

export const NO_PROVIDERS: ProviderOptions = {
  email: { kind: 'none' },
  sms: { kind: 'none' },
  push: { kind: 'services' },
  lambda: { kind: 'none' },
  firehose: { kind: 'none' },
  queues: { kind: 'none' },
}

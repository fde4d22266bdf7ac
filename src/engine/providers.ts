// Who delivers for each protocol that needs somebody else: as the settings name it, with its secrets from files or the environment.
export interface ProviderOptions {
  readonly email: EmailProvider
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

export const NO_PROVIDERS: ProviderOptions = { email: { kind: 'none' } }

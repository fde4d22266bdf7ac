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

export type EmailProvider = NoProvider | CaptureProvider

export const NO_PROVIDERS: ProviderOptions = { email: { kind: 'none' } }

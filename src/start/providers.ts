// Who delivers for each protocol, as the operator gave it: settings, and secrets from files or the environment.
import type { ProviderOptions } from '../engine/providers.ts'
import type { Config } from '../house/options.ts'

export function readProviders(config: Config): ProviderOptions {
  return { email: { kind: config['email.provider'] } }
}

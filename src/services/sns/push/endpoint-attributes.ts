// The attributes of a platform endpoint in requests.
import { type PlatformEndpoint, isApple } from '../../../model/platform.ts'
import { invalidParameter } from '../errors.ts'

const USER_DATA_BYTES_MAX = 2048
const TOKEN_CHARS_MAX = 4096
const APPLE_TOKEN = /^[0-9a-f]{1,400}$/i

export interface EndpointChange {
  readonly token?: string
  readonly isEnabled?: boolean
  /** Empty: none any more. */
  readonly customUserData?: string
}

export function readEndpointAttributes(platform: string, given: Readonly<Record<string, string>>): EndpointChange {
  const change: { -readonly [K in keyof EndpointChange]: EndpointChange[K] } = {}
  for (const [name, value] of Object.entries(given)) {
    const refuse = (problem: string) => invalidParameter(`Attributes Reason: Invalid value for attribute: ${name}: ${problem}`)
    switch (name) {
      case 'Token':
        change.token = checkToken(platform, value, refuse)
        break
      case 'Enabled':
        if (!/^(true|false)$/i.test(value)) throw refuse('must be true or false')
        change.isEnabled = value.toLowerCase() === 'true'
        break
      case 'CustomUserData':
        if (Buffer.byteLength(value) > USER_DATA_BYTES_MAX)
          throw refuse(`must be at most ${USER_DATA_BYTES_MAX} bytes long in UTF-8 encoding`)
        change.customUserData = value
        break
      default:
        throw invalidParameter(`Attributes Reason: Invalid attribute name: ${name}`)
    }
  }
  return change
}

/** Tokens of Apple are hexadecimal, and told in lower case. */
export function checkToken(platform: string, token: string, refuse: (problem: string) => Error): string {
  if (token === '') throw refuse('cannot be empty')
  if (!isApple(platform)) {
    if (token.length > TOKEN_CHARS_MAX) throw refuse(`must be at most ${TOKEN_CHARS_MAX} characters long`)
    return token
  }
  if (!APPLE_TOKEN.test(token)) throw refuse('iOS device tokens must be no more than 400 hexadecimal characters')
  return token.toLowerCase()
}

export function changedEndpoint(endpoint: PlatformEndpoint, { token, isEnabled, customUserData }: EndpointChange): PlatformEndpoint {
  const { customUserData: known, ...others } = endpoint
  const kept = customUserData ?? known ?? ''
  return {
    ...others,
    token: token ?? endpoint.token,
    isEnabled: isEnabled ?? endpoint.isEnabled,
    ...(kept !== '' && { customUserData: kept }),
  }
}

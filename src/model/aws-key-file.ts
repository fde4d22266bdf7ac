// Files with the key of an AWS account, in the form of the AWS CLI's credentials file ("Configuration and credential file settings"):
// `[profile]`, then `aws_access_key_id`, `aws_secret_access_key` and, of a session, `aws_session_token`.

export interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const DEFAULT_PROFILE = 'default'
const NAMES = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'] as const

/** The key of the profile `default`, or of the only one there is; else what is wrong. No text of the file enters that. */
export function readAwsKeyFile(text: string): AwsKey | { readonly problem: string } {
  const profiles = new Map<string, Map<string, string>>()
  let profile: Map<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    const name = /^\s*\[\s*([^\]]*?)\s*\]\s*(?:[#;].*)?$/.exec(line)?.[1]
    if (name !== undefined) profiles.set(name, (profile = profiles.get(name) ?? new Map()))
    else if (/^\s*(?:[#;].*)?$/.test(line)) continue
    else {
      const at = line.indexOf('=')
      if (at === -1) return { problem: 'it must have lines `name = value` below a line `[default]`' }
      if (profile === undefined) profiles.set(DEFAULT_PROFILE, (profile = new Map()))
      profile.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim())
    }
  }
  const only = profiles.size === 1 ? [...profiles.values()][0] : undefined
  const found = profiles.get(DEFAULT_PROFILE) ?? only
  if (found === undefined) return { problem: `it has ${profiles.size} profiles, and none of them is [default]` }
  const [accessKeyId, secretAccessKey, sessionToken] = NAMES.map((name) => found.get(name))
  return checkedAwsKey(accessKeyId, secretAccessKey, sessionToken)
}

/** What is given apart; empty texts count as absent. */
export function checkedAwsKey(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): AwsKey | { readonly problem: string } {
  if (!accessKeyId || !secretAccessKey) return { problem: 'it must have aws_access_key_id and aws_secret_access_key' }
  if (!/^\w{3,128}$/.test(accessKeyId)) return { problem: 'aws_access_key_id must have 3 to 128 letters, digits or underscores' }
  if (!/^[\x21-\x7e]{4,1024}$/.test(secretAccessKey)) return { problem: 'aws_secret_access_key must be 4 to 1024 ASCII characters' }
  if (!sessionToken) return { accessKeyId, secretAccessKey }
  if (!/^[\x21-\x7e]{4,16384}$/.test(sessionToken)) return { problem: 'aws_session_token must be 4 to 16384 ASCII characters' }
  return { accessKeyId, secretAccessKey, sessionToken }
}

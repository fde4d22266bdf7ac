// Who delivers for each protocol, as the operator gave it: settings, and secrets from files or the environment.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CommandError } from '../cli/command.ts'
import type { ProviderOptions, PushProvider, SmsProvider } from '../engine/providers.ts'
import type { Config } from '../house/options.ts'
import type { Environment } from './given.ts'

/** Throws CommandError with all problems at once. */
export function readProviders(config: Config, environment: Environment): ProviderOptions {
  const problems: string[] = []
  const providers = {
    email: { kind: config['email.provider'] },
    sms: smsProvider(config, environment, problems),
    push: pushProvider(config),
  }
  if (problems.length > 0) throw new CommandError(`the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`)
  return providers
}

function smsProvider(config: Config, environment: Environment, problems: string[]): SmsProvider {
  const { 'sms.provider': kind, 'sms.from': names, 'sms.priceUsd': price, 'sms.sandbox': isSandbox } = config
  const from = names.map((text) => {
    const [name = '', country] = text.split('/')
    return { name, ...(country !== undefined && { country }) }
  })
  const options = { from, priceUsd: Number(price), isSandbox }
  if (kind === 'none') return { kind }
  if (kind === 'capture') return { kind, ...options }
  const credentials = readSecret(config['sms.credentialsFile'], 'sms.credentialsFile', environment['SEALCAST_SMS_CREDENTIALS'], problems)
  const { account = '', token = '' } = /^(?<account>[\x21-\x39\x3b-\x7e]+):(?<token>[\x21-\x7e]+)$/.exec(credentials ?? '')?.groups ?? {}
  if (account === '')
    problems.push(
      'sms.provider twilio needs credentials, ACCOUNT-SID:AUTH-TOKEN on one line: in sms.credentialsFile or SEALCAST_SMS_CREDENTIALS',
    )
  if (from.length === 0) problems.push('sms.provider twilio needs sms.from: the number, name or messaging service that texts come from')
  return { kind, ...options, url: config['sms.twilioUrl'], account, token }
}

function pushProvider({ 'push.provider': kind, 'push.apnsUrl': apnsUrl, 'push.fcmUrl': fcmUrl }: Config): PushProvider {
  if (kind === 'capture') return { kind }
  return { kind, ...(apnsUrl !== undefined && { apnsUrl }), ...(fcmUrl !== undefined && { fcmUrl }) }
}

/** One line, from the file that a setting names, or else from the environment; never from the settings themselves. */
function readSecret(file: string | undefined, setting: string, given: string | undefined, problems: string[]): string | undefined {
  if (file === undefined) return given?.trim()
  try {
    return readFileSync(resolve(file), 'utf8').trim()
  } catch (error) {
    problems.push(`${setting} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

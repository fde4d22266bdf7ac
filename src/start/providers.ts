// Who delivers for each protocol, as the operator gave it: settings, and secrets from files or the environment. All problems are told at
// once.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Log } from '../base/log.ts'
import { CommandError } from '../cli/command.ts'
import type { EmailProvider, ProviderOptions, PushProvider, SmsProvider } from '../engine/providers.ts'
import type { Config } from '../house/options.ts'
import { isEmailAddress } from '../model/email-address.ts'
import { readAwsProviders } from './aws-providers.ts'
import type { Environment } from './given.ts'

/** Throws CommandError with all problems of all protocols. */
export function readProviders(config: Config, environment: Environment, log: Log): ProviderOptions {
  const given: Given = { config, environment, log, problems: [] }
  const providers = { email: readEmail(given), sms: readSms(given), push: readPush(config), ...readAwsProviders(given) }
  if (given.problems.length > 0)
    throw new CommandError(`the configuration has ${given.problems.length} problem(s):\n${given.problems.join('\n')}`)
  return providers
}

export interface Given {
  readonly config: Config
  readonly environment: Environment
  readonly log: Log
  /** Whatever is wrong is told here. */
  readonly problems: string[]
}

function readEmail(given: Given): EmailProvider {
  const { config, problems } = given
  const { 'email.provider': kind, 'email.smtpUrl': smtpUrl, 'email.from': from, 'email.user': user } = config
  if (kind !== 'smtp') return { kind }
  const password = readSecret(given, 'email.passwordFile', 'SEALCAST_EMAIL_PASSWORD')
  const url = smtpUrl === undefined ? undefined : (URL.parse(smtpUrl) ?? undefined)
  if (smtpUrl === undefined) problems.push('email.provider smtp needs email.smtpUrl, such as smtp://mail.example.com:587')
  else if (url === undefined) problems.push(`email.smtpUrl: ${smtpUrl} is no URL`)
  if (from === undefined) problems.push('email.provider smtp needs email.from, the address that mails come from')
  else if (!isEmailAddress(from)) problems.push(`email.from: ${from} is no address, such as notifications@example.com`)
  if ((user === undefined) !== (password === undefined))
    problems.push('email.user and a password (email.passwordFile or SEALCAST_EMAIL_PASSWORD) go together: give both or none')
  const isTls = url?.protocol === 'smtps:'
  return {
    kind,
    host: (url?.hostname ?? '').replace(/^\[|\]$/g, ''),
    port: url === undefined || url.port === '' ? (isTls ? 465 : 587) : Number(url.port),
    isTls,
    needsTls: config['email.tls'] === 'required' || user !== undefined,
    from: from ?? '',
    ...(user !== undefined && password !== undefined && { credentials: { user, password } }),
  }
}

function readSms(given: Given): SmsProvider {
  const { config, problems } = given
  const { 'sms.provider': kind, 'sms.from': names, 'sms.priceUsd': price, 'sms.sandbox': isSandbox } = config
  const from = names.map((text) => {
    const [name = '', country] = text.split('/')
    return { name, ...(country !== undefined && { country }) }
  })
  const options = { from, priceUsd: Number(price), isSandbox }
  if (kind === 'none') return { kind }
  if (kind === 'capture') return { kind, ...options }
  const credentials = readSecret(given, 'sms.credentialsFile', 'SEALCAST_SMS_CREDENTIALS')
  const { user = '', password = '' } = /^(?<user>[\x21-\x39\x3b-\x7e]+):(?<password>[\x21-\x7e]+)$/.exec(credentials ?? '')?.groups ?? {}
  if (user === '')
    problems.push(
      `sms.provider ${kind} needs credentials, ${kind === 'twilio' ? 'ACCOUNT-SID:AUTH-TOKEN' : 'SYSTEM-ID:PASSWORD'} on one line: ` +
        'in sms.credentialsFile or SEALCAST_SMS_CREDENTIALS',
    )
  if (from.length === 0) problems.push(`sms.provider ${kind} needs sms.from: the number or name that texts come from`)
  if (kind === 'twilio') return { kind, ...options, url: config['sms.twilioUrl'], account: user, token: password }
  const url = URL.parse(config['sms.smppUrl'] ?? '')
  if (url === null) problems.push('sms.provider smpp needs sms.smppUrl, such as smpp://smpp.example.com:2775')
  // SMPP 3.4, 5.2.1 and 5.2.2.
  if (user.length > 15) problems.push('the credentials of sms.provider smpp: a system id has at most 15 characters')
  if (password.length > 8) problems.push('the credentials of sms.provider smpp: a password has at most 8 characters')
  const isTls = url?.protocol === 'smpps:'
  const port = url === null || url.port === '' ? (isTls ? 3550 : 2775) : Number(url.port)
  return { kind, ...options, host: (url?.hostname ?? '').replace(/^\[|\]$/g, ''), port, isTls, credentials: { user, password } }
}

function readPush({ 'push.provider': kind, 'push.apnsUrl': apnsUrl, 'push.fcmUrl': fcmUrl }: Config): PushProvider {
  if (kind === 'capture') return { kind }
  return { kind, ...(apnsUrl !== undefined && { apnsUrl }), ...(fcmUrl !== undefined && { fcmUrl }) }
}

type FileSetting = { [Key in keyof Config]: Key extends `${string}File` ? Key : never }[keyof Config]

/** The content of the file that a setting names, else of an environment variable; without the line's end. Never empty. */
export function readSecret({ config, environment, problems }: Given, setting: FileSetting, variable: string): string | undefined {
  const file = config[setting]
  let secret = environment[variable]
  if (file !== undefined) {
    try {
      secret = readFileSync(resolve(file), 'utf8')
    } catch (error) {
      problems.push(`${setting} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  const line = secret?.replace(/\r?\n$/, '')
  if (line === undefined || (line === '' && file === undefined)) return undefined
  if (line === '') problems.push(`${setting}: ${file} is empty`)
  return line
}

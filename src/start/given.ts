// What the operator gives: settings, identity, certificates, secrets; read and checked before anything is opened.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { systemRandom } from '../base/random.ts'
import { CommandError, type ServeOptions } from '../cli/command.ts'
import { type RootKey, createRootKey } from '../engine/accounts.ts'
import type { Config } from '../house/options.ts'
import { isAccountId } from '../model/arn.ts'
import { type Given, flattenDocument, readSettings } from '../model/config.ts'
import { settings } from '../settings.ts'
import type { TlsMaterial } from '../wire/http.ts'

export const DEFAULT_ACCOUNT = '000000000000'
const LOOPBACK = ['127.0.0.0/8', '::1/128']
const PRIVATE = [...LOOPBACK, '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10']

/** Where nothing else is given, a development server keeps what would go out. */
const DEVELOPMENT: readonly Given[] = [
  { key: 'trail.deliveryIntervalSeconds', value: 5, from: '--dev' },
  ...Object.keys(settings)
    .filter((key) => key.endsWith('.provider'))
    .map((key) => ({ key, value: 'capture', from: '--dev' })),
]

export type Environment = Readonly<Record<string, string | undefined>>

export interface StartOptions extends ServeOptions {
  readonly version: string
  readonly environment: Environment
  readonly writeLog: (line: string) => void
}

/** Throws CommandError with all problems at once. */
export function readConfig({ configFile, set, dev }: StartOptions): Config {
  const given: Given[] = [
    ...(dev ? DEVELOPMENT : []),
    ...(configFile === undefined ? [] : flattenDocument(readJson(configFile), configFile)),
    ...set,
  ]
  const read = readSettings(settings, given)
  const problems = 'problems' in read ? read.problems : []
  if ('values' in read && (read.values['server.tlsCert'] === undefined) !== (read.values['server.tlsKey'] === undefined))
    problems.push('server.tlsCert and server.tlsKey go together: give both or none')
  if ('values' in read && read.values['tree.prefix'] !== '' && read.values['tree.bucket'] === undefined)
    problems.push('tree.prefix is of keys in tree.bucket, which is missing')
  if (problems.length > 0 || 'problems' in read)
    throw new CommandError(`the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`)
  return read.values
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (error) {
    throw new CommandError(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function readIdentity({ environment, dev }: StartOptions): { readonly account: string; readonly rootKey: RootKey } {
  const account = environment['SEALCAST_ACCOUNT_ID'] ?? DEFAULT_ACCOUNT
  if (!isAccountId(account)) throw new CommandError('SEALCAST_ACCOUNT_ID must have 12 digits')
  if (dev) return { account, rootKey: { accessKeyId: 'test', secretAccessKey: 'test' } }
  const accessKeyId = environment['SEALCAST_ROOT_ACCESS_KEY_ID']
  const secretAccessKey = environment['SEALCAST_ROOT_SECRET_ACCESS_KEY']
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new CommandError('SEALCAST_ROOT_ACCESS_KEY_ID and SEALCAST_ROOT_SECRET_ACCESS_KEY go together: give both or none')
  if (accessKeyId === undefined || secretAccessKey === undefined) return { account, rootKey: createRootKey(systemRandom()) }
  if (!/^\w{3,128}$/.test(accessKeyId))
    throw new CommandError('SEALCAST_ROOT_ACCESS_KEY_ID must have 3 to 128 letters, digits or underscores')
  if (secretAccessKey.length < 8) throw new CommandError('SEALCAST_ROOT_SECRET_ACCESS_KEY must have at least 8 characters')
  return { account, rootKey: { accessKeyId, secretAccessKey } }
}

/** From a file or the environment; never from the settings themselves. */
export function readEventsAuthorization(config: Config, environment: Environment): string | undefined {
  const file = config['events.authorizationFile']
  let given = environment['SEALCAST_EVENTS_AUTHORIZATION']
  if (file !== undefined) {
    try {
      given = readFileSync(resolve(file), 'utf8')
    } catch (error) {
      throw new CommandError(`events.authorizationFile cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const header = given?.trim()
  if (header !== undefined && !/^[\x20-\x7e]{1,8192}$/.test(header))
    throw new CommandError(
      'the Authorization header of events.target must be one line of 1 to 8192 ASCII characters: ' +
        'it comes from events.authorizationFile or SEALCAST_EVENTS_AUTHORIZATION',
    )
  return header
}

export function readTls(config: Config): TlsMaterial | undefined {
  const { 'server.tlsCert': cert, 'server.tlsKey': key } = config
  if (cert === undefined || key === undefined) return undefined
  try {
    return { cert: readFileSync(resolve(cert)), key: readFileSync(resolve(key)) }
  } catch (error) {
    throw new CommandError(`the TLS files cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Names below which a bucket has a host of its own: `<bucket>.localhost`, and the same below the public name. */
export function hostsOf(config: Config): readonly string[] {
  const publicUrl = config['server.publicUrl']
  const name = publicUrl === undefined ? 'localhost' : new URL(publicUrl).hostname
  return name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 ? ['localhost'] : ['localhost', name]
}

/** Loopback may be reached while the server itself is reachable from nowhere else. */
export function allowedNetworks(config: Config, isDev: boolean): readonly string[] {
  if (isDev) return [...PRIVATE, ...config['outbound.allow']]
  const isLoopback = /^(127\.|::1$|localhost$)/.test(config['server.host'])
  return isLoopback ? [...LOOPBACK, ...config['outbound.allow']] : config['outbound.allow']
}

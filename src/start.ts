// The composition root: configuration, data directory, house, and the doors that lead in.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from './base/clock.ts'
import { type Log, createLog, silentLog } from './base/log.ts'
import { systemRandom } from './base/random.ts'
import { CommandError, type RunningServer, type ServeOptions } from './cli/command.ts'
import type { Connection } from './cli/connect.ts'
import { type RootKey, createRootKey } from './engine/accounts.ts'
import type { CallResult } from './engine/call.ts'
import type { Env } from './engine/env.ts'
import { type Config, type House, openHouse } from './house.ts'
import { isAccountId } from './model/arn.ts'
import { type Given, flattenDocument, readSettings } from './model/config.ts'
import { operatorPrincipal } from './model/principal.ts'
import { readRootSources } from './root-sources.ts'
import { settings } from './settings.ts'
import { type DataDirectory, openDataDirectory } from './storage/disk/data-directory.ts'
import { type AdminCall, type AdminDoor, openAdminDoor } from './wire/admin.ts'
import { createDoor } from './wire/door.ts'
import { type HttpServer, type TlsMaterial, createHttpServer } from './wire/http.ts'
import { createInternalDoor } from './wire/internal.ts'
import { signatureErrors } from './wire/sigv4/errors.ts'

const GRACE_MS = 10_000
const DEFAULT_ACCOUNT = '000000000000'
const LOOPBACK = ['127.0.0.0/8', '::1/128']
const PRIVATE = [...LOOPBACK, '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10']

type Environment = Readonly<Record<string, string | undefined>>

export interface StartOptions extends ServeOptions {
  readonly version: string
  readonly environment: Environment
  readonly writeLog: (line: string) => void
}

/** Opens everything and listens. Throws CommandError with all problems of the configuration at once. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const config = readConfig(options)
  const identity = readIdentity(options)
  const tls = readTls(config)
  const eventsAuthorization = readEventsAuthorization(config, options.environment)
  const clock = systemClock
  const random = systemRandom()
  const log = createLog({ format: config['log.format'], now: () => clock.now(), write: options.writeLog })
  const sources = readRootSources(options.environment, config['keys.rootFile'])
  const data = options.dev ? undefined : openDataDirectory(config['data.folder'], random, { sources, clock })
  const urlAt = (port: number): string => `${tls === undefined ? 'http' : 'https'}://${urlHost(config['server.host'])}:${port}`
  // Followers go to work, and send links, before the door is open.
  let url = urlAt(config['server.port'])
  const open = (): Promise<House> =>
    openHouse({
      config,
      clock,
      random,
      log,
      data,
      version: options.version,
      ...identity,
      baseUrl: () => config['server.publicUrl'] ?? url,
      allow: allowedNetworks(config, options.dev),
      signatureErrors,
      ...(eventsAuthorization !== undefined && { eventsAuthorization }),
      purpose: 'serve',
    })
  let house: House | undefined
  try {
    const opened = await open()
    house = opened
    const current = (): House => house ?? opened
    const internal = createInternalDoor({
      house: current,
      ...(options.dev && {
        async reset() {
          await current().stop('reset')
          house = await open()
        },
      }),
    })
    const door = createDoor({
      services: opened.services,
      invoke: (call) => current().invoke(call),
      internal,
      clock,
      random,
      log,
      fallbackRegion: config['regions.default'],
      hosts: hostsOf(config),
    })
    const server = createHttpServer({ ...door, clock, log, ...(tls !== undefined && { tls }) })
    const port = await listen(server, config)
    url = urlAt(port)
    const adminFolder = data?.folder ?? mkdtempSync(join(tmpdir(), 'sealcast-dev-'))
    const admin = await openAdminDoor(join(adminFolder, 'admin.sock'), (call) =>
      invokeAsOperator(current(), identity.account, config, call),
    )
    log.info('ready', { url, data: data?.folder ?? 'memory', version: options.version })
    return {
      url: config['server.publicUrl'] ?? url,
      accountId: identity.account,
      accessKeyId: identity.rootKey.accessKeyId,
      region: config['regions.default'],
      dataFolder: adminFolder,
      isNew: data?.isNew ?? true,
      stop: (reason) => stop({ server, admin, adminFolder, house: current, data, log, reason }),
      renew: () => renewTls(server, config, current().env),
    }
  } catch (error) {
    await house?.stop('the start failed')
    data?.lock.release()
    throw error
  }
}

/** For a command when no server runs: the same house on the data directory, without a door to the outside. */
export async function openDirectly(parts: {
  readonly dataFolder: string
  readonly osUser: string
  readonly version: string
  readonly environment: Environment
}): Promise<Connection> {
  const read = readSettings(settings, [{ key: 'data.folder', value: parts.dataFolder, from: '--data' }])
  if ('problems' in read) throw new CommandError(read.problems.join('\n'))
  const config = read.values
  const random = systemRandom()
  const data = openDataDirectory(parts.dataFolder, random, { sources: readRootSources(parts.environment) })
  const account = DEFAULT_ACCOUNT
  try {
    const house = await openHouse({
      config,
      clock: systemClock,
      random,
      log: silentLog,
      data,
      version: parts.version,
      account,
      rootKey: createRootKey(random),
      baseUrl: () => '',
      allow: [],
      signatureErrors,
      purpose: 'command',
    })
    return {
      lines: (operation, input) => linesOf(invokeAsOperator(house, account, config, { operation, input, osUser: parts.osUser })),
      async close() {
        await house.stop('the command ended')
        data.lock.release()
      },
    }
  } catch (error) {
    data.lock.release()
    throw error
  }
}

async function* linesOf(result: Promise<CallResult>): AsyncGenerator<unknown> {
  const answer = await result
  if ('error' in answer) throw new CommandError(answer.error.message)
  const { output } = answer
  if (typeof output === 'object' && output !== null && 'lines' in output) yield* output.lines as AsyncIterable<unknown>
  else yield output
}

function invokeAsOperator(house: House, account: string, config: Config, { operation, input, osUser }: AdminCall): Promise<CallResult> {
  const { clock, random } = house.env
  return house.invoke({
    service: 'sealcast',
    operation,
    input,
    region: config['regions.default'],
    requestId: random.uuid(),
    arrivedAt: clock.now(),
    sourceIp: 'sealcast.local',
    userAgent: 'sealcast',
    host: 'admin.sock',
    principal: operatorPrincipal(osUser, account),
  })
}

async function stop(parts: {
  readonly server: HttpServer
  readonly admin: AdminDoor
  readonly adminFolder: string
  readonly house: () => House
  readonly data: DataDirectory | undefined
  readonly log: Log
  readonly reason: string
}): Promise<void> {
  parts.log.info('stopping')
  await parts.server.close(GRACE_MS)
  await parts.admin.close()
  if (parts.data === undefined) rmSync(parts.adminFolder, { recursive: true, force: true })
  await parts.house().stop(parts.reason)
  parts.data?.lock.release()
  parts.log.info('stopped')
}

function readConfig({ configFile, set, dev }: StartOptions): Config {
  const given: Given[] = [
    ...(dev ? [{ key: 'trail.deliveryIntervalSeconds', value: 5, from: '--dev' }] : []),
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

function readIdentity({ environment, dev }: StartOptions): { readonly account: string; readonly rootKey: RootKey } {
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
function readEventsAuthorization(config: Config, environment: Environment): string | undefined {
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

function readTls(config: Config): TlsMaterial | undefined {
  const { 'server.tlsCert': cert, 'server.tlsKey': key } = config
  if (cert === undefined || key === undefined) return undefined
  try {
    return { cert: readFileSync(resolve(cert)), key: readFileSync(resolve(key)) }
  } catch (error) {
    throw new CommandError(`the TLS files cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Files that cannot be used leave the certificate in place: a mistake in a renewal must not end the service. */
function renewTls(server: HttpServer, config: Config, { log, acts }: Env): void {
  const told = (error?: string): void => {
    const act = { name: 'CertificateReloaded', ...(error !== undefined && { error: { code: 'CertificateUnusable', message: error } }) }
    acts.record(act).catch((failure: unknown) => log.warn('an act of the server could not be recorded', { error: String(failure) }))
  }
  try {
    const renewed = readTls(config)
    if (renewed === undefined) return
    server.renewTls(renewed)
    log.info('the TLS certificate was read again')
    told()
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    log.error('the TLS certificate could not be renewed; the one in use stays', { error: text })
    told(text)
  }
}

/** Names below which a bucket has a host of its own: `<bucket>.localhost`, and the same below the public name. */
function hostsOf(config: Config): readonly string[] {
  const publicUrl = config['server.publicUrl']
  const name = publicUrl === undefined ? 'localhost' : new URL(publicUrl).hostname
  return name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 ? ['localhost'] : ['localhost', name]
}

/** Loopback may be reached while the server itself is reachable from nowhere else. */
function allowedNetworks(config: Config, isDev: boolean): readonly string[] {
  if (isDev) return [...PRIVATE, ...config['outbound.allow']]
  const isLoopback = /^(127\.|::1$|localhost$)/.test(config['server.host'])
  return isLoopback ? [...LOOPBACK, ...config['outbound.allow']] : config['outbound.allow']
}

async function listen(server: HttpServer, config: Config): Promise<number> {
  const { 'server.port': port, 'server.host': host } = config
  try {
    return await server.listen(port, host)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new CommandError(`port ${port} on ${host} is in use; give another with --port`)
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') throw new CommandError(`cannot listen on ${host} port ${port}: ${message}`)
    throw error
  }
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

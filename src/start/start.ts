// The start of a server: what the operator gave, the data directory, the house, and the doors that lead in.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdjustableClock } from '../base/adjustable-clock.ts'
import { systemClock } from '../base/clock.ts'
import { type Log, createLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { CommandError, type RunningServer } from '../cli/command.ts'
import type { Env } from '../engine/env.ts'
import { type House, openHouse } from '../house/house.ts'
import type { Config } from '../house/options.ts'
import { type DataDirectory, openDataDirectory } from '../storage/disk/data-directory.ts'
import { type AdminDoor, openAdminDoor } from '../wire/admin.ts'
import { createDoor } from '../wire/door.ts'
import { type HttpServer, createHttpServer } from '../wire/http.ts'
import { createInternalDoor } from '../wire/internal.ts'
import { signatureErrors } from '../wire/sigv4/errors.ts'
import { allowedNetworks, hostsOf, readConfig, readEventsAuthorization, readIdentity, readTls, type StartOptions } from './given.ts'
import { invokeAsOperator } from './operator.ts'
import { createMovedTime } from './moved-time.ts'
import { readProviders } from './providers.ts'
import { readRootSources } from './root-sources.ts'

const GRACE_MS = 10_000
/** Opens everything and listens. Throws CommandError with all problems of the configuration at once. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const config = readConfig(options)
  const identity = readIdentity(options)
  const tls = readTls(config)
  const eventsAuthorization = readEventsAuthorization(config, options.environment)
  const adjustable = options.dev ? new AdjustableClock(systemClock) : undefined
  const clock = adjustable ?? systemClock
  const random = systemRandom()
  const log = createLog({ format: config['log.format'], now: () => systemClock.now(), write: options.writeLog })
  const providers = readProviders(config, options.environment, log)
  const sources = readRootSources(options.environment, config['keys.rootFile'])
  const data = options.dev ? undefined : openDataDirectory(config['data.folder'], random, { sources, clock })
  const urlAt = (port: number): string => `${tls === undefined ? 'http' : 'https'}://${urlHost(config['server.host'])}:${port}`
  // Followers go to work, and send links, before the door is open.
  let url = urlAt(config['server.port'])
  const open = (): Promise<House> =>
    openHouse({
      config,
      clock,
      machineClock: systemClock,
      random,
      log,
      data,
      version: options.version,
      ...identity,
      baseUrl: () => config['server.publicUrl'] ?? url,
      allow: allowedNetworks(config, options.dev),
      signatureErrors,
      providers,
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
      ...(adjustable !== undefined && {
        development: {
          clock: createMovedTime(adjustable, systemClock, current),
          async reset() {
            await current().stop('reset')
            house = await open()
            server.measure(house.meter)
          },
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
      mark: () => current().env.outbound.mark,
    })
    const server = createHttpServer({ ...door, clock: { ...systemClock, now: () => clock.now() }, log, ...(tls !== undefined && { tls }) })
    server.measure(opened.meter)
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

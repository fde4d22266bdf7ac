// Calls of whoever owns the data directory: through a running server's own socket, or on the directory itself when none runs.
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { CommandError } from '../cli/command.ts'
import type { Connection } from '../cli/connect.ts'
import { createRootKey } from '../engine/accounts.ts'
import type { CallResult } from '../engine/call.ts'
import { type House, openHouse } from '../house/house.ts'
import type { Config } from '../house/options.ts'
import { readSettings } from '../model/config.ts'
import { operatorPrincipal } from '../model/principal.ts'
import { settings } from '../settings.ts'
import { openDataDirectory } from '../storage/disk/data-directory.ts'
import type { AdminCall } from '../wire/admin.ts'
import { signatureErrors } from '../wire/sigv4/errors.ts'
import { DEFAULT_ACCOUNT, type Environment } from './given.ts'
import { readRootSources } from './root-sources.ts'

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

export function invokeAsOperator(
  house: House,
  account: string,
  config: Config,
  { operation, input, osUser }: AdminCall,
): Promise<CallResult> {
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

async function* linesOf(result: Promise<CallResult>): AsyncGenerator<unknown> {
  const answer = await result
  if ('error' in answer) throw new CommandError(answer.error.message)
  const { output } = answer
  if (typeof output === 'object' && output !== null && 'lines' in output) yield* output.lines as AsyncIterable<unknown>
  else yield output
}

// What every operation and every follower works with: the stores behind their ports, the seal, the keys, the way out.
import { readFileSync } from 'node:fs'
import { KEY_BYTES } from '../base/aead.ts'
import type { Meter } from '../base/meter.ts'
import { putRootKey } from '../engine/accounts.ts'
import { createActs } from '../engine/acts.ts'
import type { Env } from '../engine/env.ts'
import { OBJECTS_KEY } from '../engine/keys.ts'
import { createOutbound } from '../engine/outbound.ts'
import { createRecordKeys } from '../engine/record-keys.ts'
import { createSeal, type RootSeal } from '../engine/seal.ts'
import { Commits } from '../engine/transaction.ts'
import { Table } from '../model/tables.ts'
import type { Config, HouseOptions } from './options.ts'
import type { Storage } from './stores.ts'

const COMMIT_BOUNDS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000]

export function createEnv(parts: {
  readonly options: HouseOptions
  readonly storage: Storage
  readonly meter: Meter
  readonly invoke: Env['invoke']
}): Env & { readonly seal: RootSeal } {
  const { options, storage, meter, invoke } = parts
  const { config, clock, machineClock = clock, random, log, data } = options
  const { store, tables, blobs, archive } = storage
  const { journal, queues } = store
  const latency = meter.histogram('sealcast_commit_ms', 'Milliseconds from a commit to its being durable.', COMMIT_BOUNDS_MS)
  const commits = new Commits({ clock, journal, queues, tables, latency })
  const seal = createSeal(
    data?.keyring.root ?? random.bytes(KEY_BYTES),
    random,
    data?.keyring.former.map(({ key }) => key),
  )
  return {
    ...{ clock, random, log, tables, commits, seal, journal, queues, blobs, archive, invoke },
    keys: createRecordKeys({ random, seal }),
    acts: createActs({ random, commits, account: options.account, region: config['regions.default'], version: options.version }),
    outbound: createOutbound({ clock: machineClock, allow: options.allow, mark: random.uuid(), ...outboundOptions(config) }),
  }
}

/** What no server is without: an account with its root key, and a key for objects. Returns whether the account is new. */
export async function putFirstRows({ tables, commits, seal, keys }: Env, { account, rootKey, config }: HouseOptions): Promise<boolean> {
  const isFirst = tables.get(Table.accounts, account) === undefined
  if (isFirst) await commits.commit((tx) => putRootKey(tx, seal, account, rootKey)).done
  if (keys.own(tables, OBJECTS_KEY) === undefined)
    await commits.commit((tx) => {
      keys.create(tx, { account, region: config['regions.default'], alias: OBJECTS_KEY, manager: 'server' })
    }).done
  return isFirst
}

function outboundOptions(config: Config): { readonly proxy?: string; readonly ca?: string } {
  const { 'outbound.proxy': proxy, 'outbound.caFile': caFile } = config
  return { ...(proxy !== undefined && { proxy }), ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) }
}

// A new root key while the server serves: from the turn on it seals everything new, and what the former ones sealed is sealed anew, a few
// rows to a commit. A former key is kept, itself sealed, until no record and no part of the journal can hold anything of it. A crash at
// any point is met by the next start, which goes on.
import type { Acts } from './acts.ts'
import { secretContext } from './authenticate.ts'
import { digestKeyContext } from './digest-keys.ts'
import type { Env } from './env.ts'
import type { RootSeal } from './seal.ts'
import { signingKeyContext } from './signing.ts'
import { treeKeyContext } from './tree-signing.ts'
import { capturedContext } from '../model/captured.ts'
import { keyMaterialContext } from '../model/key.ts'
import { outsideSecretContext } from '../model/outside-bucket.ts'
import { platformSecretContext } from '../model/platform.ts'
import { sandboxCodeContext } from '../model/sms.ts'
import { type Rows, Table, type TableNumber } from '../model/tables.ts'

/** The root key and those before it, as the data directory keeps them. */
export interface RootKeys {
  readonly root: Buffer
  readonly former: readonly { readonly id: string; readonly since: number }[]
  /** The id of the root key that gave way to another as the directory was opened. */
  readonly turnedFrom: string | undefined
  /** Keys of stores that were made since the directory was opened. */
  readonly newStoreKeys: readonly { readonly store: string; readonly number: number }[]
  /** Makes a new root key, durably. Throws RootKeyRefused where the key is not the server's to make. */
  rotate(): void
  forgetFormer(): void
}

export interface RootRotation {
  /** The new key's id, and that of the one before. Begins to seal anew what there is. */
  rotate(): { readonly from: string; readonly to: string }
  /** At the start of a server: tells of the keys that came with it, and goes on in the background. */
  begin(): Promise<void>
  /** Goes on with what is left to do; resolves when nothing can be done for now. */
  goOn(): Promise<void>
  stop(): Promise<void>
}

/** What each sealed member is bound to, by table. */
const CONTEXTS: { readonly [N in TableNumber]?: (row: Rows[N]) => string } = {
  [Table.accessKeys]: ({ accessKeyId }) => secretContext(accessKeyId),
  [Table.signingKeys]: ({ keyId }) => signingKeyContext(keyId),
  [Table.keyVersions]: keyMaterialContext,
  [Table.digestKeys]: ({ region, fingerprint }) => digestKeyContext(region, fingerprint),
  [Table.treeKeys]: ({ verifierKey }) => treeKeyContext(verifierKey),
  [Table.outsideBuckets]: ({ name }) => outsideSecretContext(name),
  [Table.platformApplications]: platformSecretContext,
  [Table.smsNumbers]: (row) => (row.kind === 'sandbox' ? sandboxCodeContext(row) : ''),
  [Table.captured]: capturedContext,
}

const PAGE_ROWS = 64

interface Parts {
  readonly env: Pick<Env, 'tables' | 'commits' | 'journal' | 'log'>
  readonly acts: Acts
  readonly seal: RootSeal
  readonly rootKeys: RootKeys
}

export function createRootRotation({ env, acts, seal, rootKeys }: Parts): RootRotation {
  const { tables, commits, journal, log } = env
  let running: Promise<void> | undefined
  let isStopped = false
  /** No record held anything of a former key when the journal ended here. */
  let cleanAt: number | undefined

  async function run(): Promise<void> {
    if (rootKeys.former.length === 0) return
    const marks = rootKeys.former.map(({ id }) => `"v1.${id}.`)
    const left = new Set<number>()
    for (const table of Object.values(Table)) {
      for (let after: string | undefined; ;) {
        const rows = tables.range(table, { limit: PAGE_ROWS, ...(after !== undefined && { after }) })
        const old = rows.filter(({ value }) => isOld(value, marks))
        const contextOf = CONTEXTS[table] as ((row: object) => string) | undefined
        if (old.length > 0 && contextOf === undefined) left.add(table)
        if (old.length > 0 && contextOf !== undefined) {
          await commits.commit((tx) => {
            for (const { key } of old) {
              const row = tx.get(table, key)
              if (isObject(row) && isOld(row, marks)) tx.put(table, key, sealedAnew(seal, row, contextOf(row)) as Rows[typeof table])
            }
          }).done
        }
        after = rows.at(-1)?.key
        if (after === undefined || isStopped) break
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (isStopped) return
    }
    if (left.size > 0) {
      cleanAt = undefined
      return log.info('a former root key is still needed', { tables: [...left].join(', ') })
    }
    cleanAt ??= journal.tail
    if (journal.start < cleanAt) return
    const ids = rootKeys.former.map(({ id }) => id)
    await acts.record({ name: 'RootKeyRetired', details: { rootKeyIds: ids } })
    rootKeys.forgetFormer()
    seal.forgetFormer()
    log.info('former root keys are not needed any more', { ids: ids.join(', ') })
  }

  function goOn(): Promise<void> {
    return (running ??= run().finally(() => {
      running = undefined
    }))
  }

  function inBackground(): Promise<void> {
    return goOn().catch((error: unknown) => log.error('sealing anew failed and is tried again', { error: String(error) }))
  }

  return {
    rotate() {
      const from = seal.keyId
      rootKeys.rotate()
      seal.turn(rootKeys.root)
      cleanAt = undefined
      // A run that is under way looked for less than there is now.
      void (running === undefined ? inBackground() : running.then(inBackground, inBackground))
      return { from, to: seal.keyId }
    },
    async begin() {
      if (rootKeys.turnedFrom !== undefined)
        await acts.record({ name: 'KeyRotated', details: { key: 'root', from: rootKeys.turnedFrom, to: seal.keyId } })
      for (const { store, number } of rootKeys.newStoreKeys)
        await acts.record({ name: 'KeyRotated', details: { key: store, version: number } })
      void inBackground()
    },
    goOn,
    async stop() {
      isStopped = true
      await running?.catch(() => {})
    },
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isOld(value: unknown, marks: readonly string[]): boolean {
  const text = JSON.stringify(value)
  return marks.some((mark) => text.includes(mark))
}

function sealedAnew(seal: RootSeal, row: Readonly<Record<string, unknown>>, context: string): Readonly<Record<string, unknown>> {
  const sealed = Object.entries(row).filter(([, value]) => typeof value === 'string' && value.startsWith('v1.'))
  return { ...row, ...Object.fromEntries(sealed.map(([name, value]) => [name, seal.seal(seal.open(String(value), context), context)])) }
}

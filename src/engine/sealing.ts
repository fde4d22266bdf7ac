// What lies sealed, under which key, and how old that key is: for the operator and for whoever audits.
import type { Sealing } from '../model/status.ts'
import { type Keys, OBJECTS_KEY } from './keys.ts'
import type { RootKeys } from './root-rotation.ts'
import type { Seal } from './seal.ts'
import type { TableReader } from './tables.ts'

export interface SealingParts {
  readonly keys: Keys
  readonly tables: TableReader
  readonly seal: Seal
  /** Absent where everything is in memory. */
  readonly rootKeys:
    | (RootKeys & {
        readonly source: string
        readonly since: number
        readonly sealed: readonly string[]
        storeKeys(store: string): readonly { readonly number: number; readonly since: number }[]
      })
    | undefined
  /** Names of the stores that the status tells the bytes of. */
  readonly stores: () => readonly string[]
}

/** Stores that are sealed by the keys of another one. */
const SEALED_AS: Readonly<Record<string, string>> = { topicArchives: 'queues' }

export function createSealing({ keys, tables, seal, rootKeys, stores }: SealingParts): () => Sealing | undefined {
  if (rootKeys === undefined) return () => undefined
  return () => ({
    rootKey: { id: seal.keyId, source: rootKeys.source, since: rootKeys.since },
    former: rootKeys.former.map(({ id, since }) => ({ id, since })),
    stores: Object.fromEntries(
      [...stores(), 'backup'].map((store) => {
        const keysOf = SEALED_AS[store] ?? store
        const newest = rootKeys.sealed.includes(keysOf) ? rootKeys.storeKeys(keysOf).at(-1) : undefined
        if (newest !== undefined)
          return [store, { sealed: 'whole', key: `key ${newest.number} of ${keysOf}`, since: newest.since }] as const
        if (store === 'records') return [store, { sealed: 'secrets', key: `root ${seal.keyId}`, since: rootKeys.since }] as const
        const own = store === 'blobs' || store === 'archive' ? keys.own(tables, OBJECTS_KEY) : undefined
        if (own === undefined) return [store, { sealed: 'nothing' }] as const
        return [store, { sealed: 'whole', key: `${OBJECTS_KEY}, or the one an object names`, since: own.rotatedAt }] as const
      }),
    ),
  })
}

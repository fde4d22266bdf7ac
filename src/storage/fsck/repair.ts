// What the repairs of a salvage share: where they make things, and whom they tell of what is lost.
import { open, type RootDatabase } from 'lmdb'
import type { Random } from '../../base/random.ts'
import type { Check } from './check.ts'

/** What a repair works with. Names are paths inside the data directory. */
export interface Salvage extends Pick<Check, 'files' | 'path' | 'storeKeys'> {
  readonly random: Random
  /** In ms since 1970. */
  readonly now: number
  /** Where a new file or folder is made before it takes its place. */
  fresh(name: string): string
  /** Puts what was made at `fresh(name)` in the place of `name`, whose old contents are moved. */
  replace(name: string): void
  /** Moves a file or folder into the salvage folder; an absent one is fine. */
  move(name: string): void
  /** What cannot be had back, or only in another place: told in the report. */
  lost(what: string): void
  /** Lines for a file beside the report. */
  keep(name: string, row: object): void
}

/** Reads what was checked already, without telling its damage again. */
export function quietCheck({ files, path, storeKeys }: Pick<Check, 'files' | 'path' | 'storeKeys'>): Check {
  return { files, path, storeKeys, folder: path(''), report: () => {}, step: () => Promise.resolve() }
}

/** An environment of lmdb that will take the place of the one at `name`. */
export function openFreshEnvironment(salvage: Salvage, name: string): RootDatabase<Buffer, Buffer> {
  const folder = salvage.fresh(name)
  salvage.files.makeFolder(folder)
  return open<Buffer, Buffer>(folder, { keyEncoding: 'binary', encoding: 'binary', noSubdir: false, overlappingSync: false })
}

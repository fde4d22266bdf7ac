// The check of a data directory: takes its lock, looks at everything, and on request salvages and looks again.
import { join, resolve } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Files } from '../files.ts'
import { type Finding, type FsckOptions, FsckRefused, type FsckSummary, type Severity } from '../fsck.ts'
import { RootKeyRefused } from '../../model/root-key.ts'
import type { StoreKey, StoreKeys } from '../store-keys.ts'
import type { Check } from './check.ts'
import { salvage } from './salvage.ts'
import { type Survey, survey } from './survey.ts'

export interface FsckParts {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  /** The keys of sealed stores of a data directory; throws RootKeyRefused. Absent: no store is sealed. */
  readonly storeKeys?: (folder: string) => (store: string) => readonly StoreKey[]
  /** Takes the lock of the data directory; throws when someone holds it. */
  readonly takeLock: (file: string) => { release(): void }
}

/** Throws FsckRefused, and what `takeLock` throws. */
export async function fsck(parts: FsckParts, options: FsckOptions): Promise<FsckSummary> {
  const { files } = parts
  const folder = resolve(options.dataFolder)
  if (!files.exists(folder)) throw new FsckRefused(`there is no ${folder}; give the data directory with --data`)
  if (!['format.json', 'journal'].some((name) => files.exists(join(folder, name)))) {
    throw new FsckRefused(`${folder} is no Sealcast data directory; give one with --data`)
  }
  const lock = parts.takeLock(join(folder, 'lock'))
  try {
    const all = openStores(parts, folder)
    // Salvaged values are sealed as those were that they come from.
    const storeKeys = (store: string): StoreKeys => ({ all: all(store), current: all(store).at(-1) })
    const first = await look(parts, folder, storeKeys, options)
    if (!options.salvage || first.findings.damage === 0) return summaryOf(first)
    options.onProgress({ part: 'salvage', share: 0 })
    const salvagedTo = await salvage({ ...parts, folder, storeKeys, survey: first.found, findings: first.told })
    options.onProgress({ part: 'salvage', share: 1 })
    return { ...summaryOf(await look(parts, folder, storeKeys, { ...options, signal: undefined })), salvagedTo }
  } finally {
    lock.release()
  }
}

/** Without them a sealed store is unreadable, and would be taken for damage. */
function openStores({ storeKeys = () => () => [] }: FsckParts, folder: string): (store: string) => readonly StoreKey[] {
  try {
    return storeKeys(folder)
  } catch (error) {
    if (error instanceof RootKeyRefused) throw new FsckRefused(error.message)
    throw error
  }
}

interface Look {
  readonly found: Survey
  readonly told: readonly Finding[]
  readonly findings: Record<Severity, number>
}

async function look(
  { files }: FsckParts,
  folder: string,
  storeKeys: Check['storeKeys'],
  { onFinding, onProgress, signal }: Omit<FsckOptions, 'dataFolder' | 'salvage' | 'signal'> & { readonly signal?: AbortSignal | undefined },
): Promise<Look> {
  const findings = { damage: 0, warning: 0, info: 0 }
  const told: Finding[] = []
  const check: Check = {
    files,
    folder,
    storeKeys,
    path: (name) => join(folder, name),
    report(finding) {
      findings[finding.severity]++
      told.push(finding)
      onFinding(finding)
    },
    async step(part, share) {
      onProgress({ part, share })
      await new Promise((done) => setImmediate(done))
      signal?.throwIfAborted()
    },
  }
  return { found: await survey(check), told, findings }
}

function summaryOf({ found: { journal, references, queues, blobs, lake }, findings }: Look): FsckSummary {
  return {
    findings,
    records: references.rows,
    messages: queues.messages,
    segments: journal.segments.length,
    frames: journal.frames,
    blobs: blobs.found,
    lakeFiles: (lake.manifest?.files.length ?? 0) + lake.chunks.length,
  }
}

// The port of backups: what a store of the data directory hands over for a copy, and where copies go. A backup is a folder with
// generations; each is a whole data directory as of one position of the journal, and shares with the ones before what did not change.
import type { NamedRoot } from '../model/root-key.ts'

/** In the data directory: copies that a sealed backup reads from, since nothing of it lies open in its own folder. */
export const BACKUP_STAGING = 'backup-staging'

/** One file of the copy. */
export interface BackupFile {
  /** In the data directory, with slashes. */
  readonly path: string
  /** Where it is read from. */
  readonly source: string
  /** Only its beginning; absent: all of it. */
  readonly bytes?: number
  /** Under this path there never are other bytes, unless their number differs: it need not be read again. */
  readonly isLasting: boolean
  /** What the file is part of, where another such thing may come to lie under the same paths: it lasts as long as this is the same. */
  readonly partOf?: string
}

/** One store's part. What lies in the data directory MUST belong to a part, or be named as left out (src/house/backup-parts.ts). */
export interface BackupPart {
  readonly name: string
  /**
   * `first`: what lasts is copied ahead, while nothing is held back for the backup.
   * `before`: it is copied before the journal, which is then kept from where it began: what would be found after a crash. Files may go
   * meanwhile; then the part is asked again.
   * `behind`: it is copied as of `position`, which the journal's copy ends at; what it names is there until it is copied.
   */
  readonly phases: readonly BackupPhase[]
  /** What it has now. What changes while it is read is copied into `staging` (an empty folder) first. */
  files(staging: string, position: number): Promise<readonly BackupFile[]>
}

export type BackupPhase = 'first' | 'before' | 'behind'

export interface BackupHead {
  readonly generation: number
  /** Milliseconds since 1970. */
  readonly takenAt: number
  /** Up to where it holds the journal. */
  readonly position: number
  /** Of the data directory, through all restores. */
  readonly directory: string
  readonly lineage: string
  readonly version: string
  readonly dataFormat: number
  /** `apart`: not in the backup; who restores has to bring it. */
  readonly rootKey: 'apart' | 'included'
  /** The id of the root key that opens it, where it is sealed. */
  readonly sealedUnder?: string
}

/** How the key of a sealed generation is come by: the root key opens the store key, and that one the data key. Base64url. */
export interface BackupSeal {
  readonly root: NamedRoot
  readonly storeKey: { readonly number: number; readonly id: string; readonly sealed: string }
  readonly dataKey: string
}

/** Of one run, base64: a new data key, and all keys that backups ever were sealed with. */
export interface BackupKeys {
  readonly dataKey: string
  readonly storeKeys: readonly string[]
}

export interface BackupSealing {
  readonly keys: BackupKeys
  /** `keyring`: as the backup holds it, so that both are of one root key. */
  sealOf(keyring: Buffer): BackupSeal
}

export interface BackupRun {
  readonly folder: string
  readonly directory: string
  readonly lineage: string
  readonly isFull: boolean
  /** Absent: the generation lies open. */
  readonly keys?: BackupKeys
}

export interface BackupSummary extends BackupHead {
  readonly files: number
  readonly bytes: number
  /** Written by this run; the rest was there. */
  readonly copiedBytes: number
  /** Generations that were let go. */
  readonly removed: readonly number[]
}

export interface BackupProgress {
  readonly phase: 'copying' | 'finishing'
  readonly files: number
  readonly bytes: number
  readonly copiedBytes: number
}

/** Takes files in. One run at a time. */
export interface BackupSink {
  /** Rejects with BackupRefused when `folder` is no place for this backup. */
  begin(run: BackupRun): Promise<number>
  /** Copies, or finds that nothing changed. Returns the paths of files that were gone. Only what was taken in as `final` will count. */
  copy(files: readonly BackupFile[], isFinal: boolean): Promise<readonly string[]>
  /** Makes the generation count, then lets go of all but the newest `keep`. `seal`: of a run that was given keys. */
  finish(head: Omit<BackupHead, 'generation'>, keep: number | undefined, seal?: BackupSeal): Promise<BackupSummary>
  progress(): BackupProgress
  /** Lets go; an unfinished generation leaves nothing that counts. */
  close(): Promise<void>
}

/** The folder is no backup, belongs to another data directory or a newer release, or the place is taken. Nothing was changed. */
export class BackupRefused extends Error {
  override name = 'BackupRefused'
}

/** Something in a backup is missing or not as it was written. Names it. */
export class BackupDamaged extends Error {
  override name = 'BackupDamaged'
}

export interface RestoreOptions {
  readonly source: string
  readonly dataFolder: string
  /** The newest when absent. */
  readonly generation?: number
  /** A root key to put beside what is restored, and to open it with. */
  readonly rootKeyFile?: string
  readonly onProgress: (share: number) => void
  readonly signal?: AbortSignal
}

export interface RestoreSummary extends BackupHead {
  readonly files: number
  readonly bytes: number
  /** Whether root.key is where the server looks for it. */
  readonly hasRootKey: boolean
}

/** Of one generation, checked from its manifest to each byte. */
export interface VerifiedGeneration extends BackupHead {
  readonly files: number
  readonly bytes: number
}

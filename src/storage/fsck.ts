// The port of the check of a data directory from outside, and of the way out of damage. It reads what lies there by the definitions of the
// formats alone, and shares no writing or recovering code with the server. What it changes, it changes only when asked to salvage, and
// then it moves and never deletes.

/** `damage`: what was acknowledged is lost, or the server will not start. `warning`: worth a look. `info`: what a crash may leave. */
export type Severity = 'damage' | 'warning' | 'info'

export interface Finding {
  readonly severity: Severity
  /** From the data directory on. */
  readonly file: string
  readonly what: string
  readonly remedy: string
}

export interface FsckProgress {
  readonly part: 'records' | 'queues' | 'journal' | 'blobs' | 'lake' | 'history' | 'tree' | 'topic archives' | 'salvage'
  /** From 0 to 1. */
  readonly share: number
}

export interface FsckSummary {
  readonly findings: Readonly<Record<Severity, number>>
  readonly records: number
  readonly messages: number
  readonly segments: number
  readonly frames: number
  readonly blobs: number
  readonly lakeFiles: number
  /** Where salvage put what it moved and its report.json, when it had anything to do. */
  readonly salvagedTo?: string
}

export interface FsckOptions {
  readonly dataFolder: string
  readonly salvage: boolean
  readonly onFinding: (finding: Finding) => void
  readonly onProgress: (progress: FsckProgress) => void
  /** Ends the check; a salvage that has begun goes on. */
  readonly signal?: AbortSignal
}

/** The folder is not a data directory, is in use, or belongs to a newer release. Nothing was looked at or changed. */
export class FsckRefused extends Error {
  override name = 'FsckRefused'
}

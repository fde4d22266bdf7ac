// What records say of each other, of blobs, queues and the journal: collected row by row, the changes of the journal on top, then judged.
import type { StoredBlob } from '../../model/bucket.ts'
import type { PendingDelivery } from '../../model/delivery.ts'
import { type MultipartUpload, uploadIdOf } from '../../model/multipart-upload.ts'
import { versionRow } from '../../model/object-version.ts'
import { blobsOf } from '../../model/packed-body.ts'
import type { AccessKey } from '../../model/principal.ts'
import type { Replay } from '../../model/replay.ts'
import { sealedBlobBytes } from '../../model/sealed-blob.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription } from '../../model/topic.ts'
import type { TopicArchive } from '../../model/topic-archive.ts'
import type { TreeRow, TreeState } from '../../model/tlog/tree-rows.ts'
import type { TrailPlan } from '../../model/trail.ts'
import { readBlobId } from '../blobs.ts'
import type { Severity } from '../fsck.ts'
import type { Position } from '../journal.ts'

export interface ReferenceProblem {
  readonly table: number
  readonly key: string
  readonly severity: Severity
  readonly what: string
}

/** What is kept of a row: only what others point to, or what it points to. */
interface Fact {
  /** Undefined: its JSON cannot be read. */
  readonly row: unknown
}

const KEPT_WHOLE: ReadonlySet<number> = new Set([
  Table.accessKeys,
  Table.subscriptions,
  Table.queues,
  Table.checkpoints,
  Table.counters,
  Table.tree,
  Table.topicArchives,
  Table.replays,
])

export class References {
  readonly #tables = new Map<number, Map<string, Fact>>()
  #rows = 0

  /** Rows, those of the journal's end included. */
  get rows(): number {
    return this.#rows
  }

  change(table: number, key: string, value: Buffer | undefined): void {
    let rows = this.#tables.get(table)
    if (rows === undefined) this.#tables.set(table, (rows = new Map()))
    if (rows.has(key)) this.#rows--
    if (value === undefined) return void rows.delete(key)
    rows.set(key, { row: factOf(table, value) })
    this.#rows++
  }

  /** Blobs that are named, with their sizes. */
  blobs(): Map<string, number> {
    const blobs = new Map<string, number>()
    for (const table of WITH_BLOBS)
      for (const { row } of this.#of<BlobsFact>(table))
        for (const { blobId, bytes } of row.blobs ?? []) blobs.set(blobId, readBlobId(blobId)?.bytes ?? bytes)
    for (const { row } of this.#of<TrailPlanFact>(Table.trailPlans))
      if (row.spooled !== undefined) blobs.set(row.spooled, readBlobId(row.spooled)?.bytes ?? 0)
    return blobs
  }

  queueNumbers(): Set<number> {
    return new Set([...this.#of<Queue>(Table.queues)].map(({ row }) => row.number))
  }

  /** Numbers of the archives of topics. */
  topicArchives(): Set<number> {
    return new Set([...this.#of<TopicArchive>(Table.topicArchives)].map(({ row }) => row.number))
  }

  /** How far the tree over the events counts. */
  treeState(): TreeState | undefined {
    const row = this.#tables.get(Table.tree)?.get('state')?.row as TreeRow | undefined
    return row?.kind === 'state' ? row : undefined
  }

  hasRoute(route: number): boolean {
    return route === 0 || this.#has(Table.routes, String(route))
  }

  /** Places in the journal that someone reads on from. */
  *positions(): Generator<Position> {
    for (const { row } of this.#of<{ readonly position: Position }>(Table.checkpoints)) yield row.position
    for (const { row } of this.#of<TrailPlanFact>(Table.trailPlans)) {
      if (row.from !== undefined) yield row.from
      if (row.to !== undefined) yield row.to
    }
    const tree = this.treeState()
    if (tree !== undefined) yield tree.position
  }

  *problems(
    journal: { readonly start: Position; readonly durable: Position },
    isBlobGood: (id: string) => boolean,
  ): Generator<ReferenceProblem> {
    for (const [table, rows] of this.#tables) {
      for (const [key, { row }] of rows)
        if (row === undefined) yield { table, key, severity: 'damage', what: 'it is not the JSON it should be' }
    }
    const gone = new Set<string>()
    for (const table of WITH_BLOBS)
      for (const problem of this.#objects(table, isBlobGood)) {
        if (table === Table.objectVersions && problem.severity === 'damage') gone.add(problem.key)
        yield problem
      }
    yield* this.#nullVersions(gone)
    yield* this.#plans(journal.start, isBlobGood)
    yield* this.#digests()
    yield* this.#queues()
    for (const { key, row } of this.#of<AccessKey>(Table.accessKeys)) {
      if (!this.#has(Table.accounts, row.account))
        yield { table: Table.accessKeys, key, severity: 'damage', what: `its account ${row.account} does not exist` }
    }
    for (const { key, row } of this.#of<Subscription>(Table.subscriptions)) {
      if (!this.#has(Table.topics, row.topicArn)) yield { table: Table.subscriptions, key, severity: 'info', what: 'its topic was deleted' }
      else if (row.route !== 0 && !this.hasRoute(row.route))
        yield { table: Table.subscriptions, key, severity: 'damage', what: `its route ${row.route} does not exist` }
    }
    yield* this.#pendingDeliveries()
    for (const { key, row } of this.#of<Replay>(Table.replays)) {
      if (!this.#has(Table.subscriptions, row.subscriptionArn))
        yield { table: Table.replays, key, severity: 'info', what: 'its subscription is gone' }
      else if (!this.hasRoute(row.route))
        yield { table: Table.replays, key, severity: 'damage', what: `its route ${row.route} does not exist` }
    }
    for (const { key, row } of this.#of<{ readonly position: Position }>(Table.checkpoints)) {
      if (row.position > journal.durable)
        yield {
          table: Table.checkpoints,
          key,
          severity: 'damage',
          what: `it stands at ${row.position}; the journal ends at ${journal.durable}`,
        }
      else if (row.position < journal.start) {
        yield {
          table: Table.checkpoints,
          key,
          severity: 'warning',
          what: `it stands at ${row.position}; the journal starts at ${journal.start}, what was between is lost to it`,
        }
      }
    }
  }

  *#objects(table: number, isBlobGood: (id: string) => boolean): Generator<ReferenceProblem> {
    const uploads = new Set([...this.#of<MultipartUpload>(Table.multipartUploads)].map(({ row }) => row.uploadId))
    for (const { key, row } of this.#of<BlobsFact>(table)) {
      if (table !== Table.uploadedParts) {
        const bucket = key.split('/', 2)[key.startsWith('/') ? 1 : 0] ?? ''
        if (!this.#has(Table.buckets, bucket)) yield { table, key, severity: 'damage', what: `its bucket ${bucket} does not exist` }
      } else if (!uploads.has(uploadIdOf(key))) yield { table, key, severity: 'info', what: 'its upload is over' }
      if (row.blobs === undefined) continue
      const bytes = row.blobs.reduce((sum, blob) => sum + blob.bytes, 0)
      if (bytes !== row.bytes) yield { table, key, severity: 'damage', what: `it has ${row.bytes} bytes, its blobs ${bytes}` }
      for (const blob of row.blobs) {
        if (!hasRightSize(blob))
          yield { table, key, severity: 'damage', what: `it has ${blob.bytes} bytes, its blob ${blob.blobId} another number` }
        else if (!isBlobGood(blob.blobId))
          yield { table, key, severity: 'damage', what: `its blob ${blob.blobId} is missing or has another size` }
      }
    }
  }

  /** A null version that is not current has a row that says where it lies; it goes with the version. */
  *#nullVersions(gone: ReadonlySet<string>): Generator<ReferenceProblem> {
    const table = Table.objectVersions
    for (const { key, row } of this.#of<BlobsFact>(table)) {
      if (!key.startsWith('/') || row.order === undefined) continue
      const slash = key.indexOf('/', 1)
      const version = versionRow(key.slice(1, slash), key.slice(slash + 1), row.order)
      if (this.#tables.get(table)?.get(version)?.row === undefined || gone.has(version))
        yield { table, key, severity: 'damage', what: 'the version that it points to does not exist' }
    }
  }

  *#pendingDeliveries(): Generator<ReferenceProblem> {
    const bodies = new Set<string>()
    for (const { key, row } of this.#of<PendingReference>(Table.pendingDeliveries)) {
      // What was published straight has none.
      if (!row.isDirect && !this.#has(Table.subscriptions, row.subscriptionArn))
        yield { table: Table.pendingDeliveries, key, severity: 'info', what: 'its subscription is gone' }
      if (row.bodyKey === undefined) continue
      bodies.add(row.bodyKey)
      if (!this.#has(Table.pendingBodies, row.bodyKey))
        yield { table: Table.pendingDeliveries, key, severity: 'damage', what: `its body ${row.bodyKey} does not exist` }
    }
    for (const { key } of this.#of(Table.pendingBodies))
      if (!bodies.has(key)) yield { table: Table.pendingBodies, key, severity: 'info', what: 'no delivery waits with it' }
  }

  *#plans(start: Position, isBlobGood: (id: string) => boolean): Generator<ReferenceProblem> {
    const table = Table.trailPlans
    for (const { key, row } of this.#of<TrailPlanFact>(table)) {
      if (row.spooled !== undefined && !isBlobGood(row.spooled))
        yield { table, key, severity: 'damage', what: `its log file, blob ${row.spooled}, is missing` }
      else if (row.spooled === undefined && row.from !== undefined && row.from < start) {
        yield { table, key, severity: 'damage', what: `it tells of a log file from position ${row.from}; the journal starts at ${start}` }
      }
    }
  }

  /** A delivered log file waits for the digest of a chain that is there. */
  *#digests(): Generator<ReferenceProblem> {
    const table = Table.digests
    for (const { key } of this.#of<true>(table)) {
      const [, trailArn, place] = /^(.+)\/file\/([^/]+\/\d+)\/\d+$/.exec(key) ?? []
      if (trailArn !== undefined && !this.#has(table, `${trailArn}/chain/${place}`))
        yield { table, key, severity: 'damage', what: 'the chain of digests that is to list its log file does not exist' }
    }
  }

  *#queues(): Generator<ReferenceProblem> {
    const table = Table.queues
    const numbers = new Map<number, string>()
    const next = (this.#tables.get(Table.counters)?.get('queue')?.row as { readonly next?: number } | undefined)?.next
    for (const { key, row } of this.#of<Queue>(table)) {
      const other = numbers.get(row.number)
      if (other !== undefined) yield { table, key, severity: 'damage', what: `it has number ${row.number}, as ${other} has` }
      if (next !== undefined && row.number >= next)
        yield { table, key, severity: 'damage', what: `it has number ${row.number}; the counter says that ${next} is the next` }
      numbers.set(row.number, key)
    }
  }

  *#of<Row>(table: number): Generator<{ readonly key: string; readonly row: Row }> {
    for (const [key, { row }] of this.#tables.get(table) ?? []) if (row !== undefined) yield { key, row: row as Row }
  }

  #has(table: number, key: string): boolean {
    return this.#tables.get(table)?.has(key) === true
  }
}

/** What was compressed and not sealed may have any size. */
function hasRightSize({ blobId, bytes, coding, seal }: StoredBlob): boolean {
  const stored = readBlobId(blobId)?.bytes
  if (seal !== undefined) return stored === sealedBlobBytes(seal.bytes)
  return coding === undefined ? stored === bytes : stored !== undefined
}

/** Tables whose rows name blobs. */
interface PendingReference {
  readonly subscriptionArn: string
  /** Published straight: to no subscription. */
  readonly isDirect: boolean
  /** Of one whose body stands apart. */
  readonly bodyKey?: string | undefined
}

const WITH_BLOBS: readonly number[] = [Table.objects, Table.objectVersions, Table.uploadedParts]

interface BlobsFact {
  readonly blobs?: readonly StoredBlob[]
  readonly bytes?: number
  readonly isDeleteMarker?: boolean
  /** Of a NullVersion. */
  readonly order?: number
}

/** Undefined where nothing that we know of was packed. */
function unpackedFact(packed: string, bytes: number | undefined): BlobsFact | undefined {
  try {
    return { blobs: blobsOf({ blobs: packed }), ...(bytes !== undefined && { bytes }) }
  } catch {
    return undefined
  }
}

interface TrailPlanFact {
  readonly spooled?: string
  readonly from?: number
  readonly to?: number
}

function factOf(table: number, value: Buffer): unknown {
  let row: unknown
  try {
    row = JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
  if (table !== Table.meta && (typeof row !== 'object' || row === null)) return undefined
  if (KEPT_WHOLE.has(table)) return row
  if (WITH_BLOBS.includes(table)) {
    const { blobs, bytes, isDeleteMarker, order } = row as BlobsFact
    if (Array.isArray(blobs)) return { blobs, bytes }
    const packed: unknown = blobs
    if (typeof packed === 'string') return unpackedFact(packed, bytes)
    if (table !== Table.objectVersions) return undefined
    return isDeleteMarker === true ? { isDeleteMarker } : { order }
  }
  if (table === Table.multipartUploads) return { uploadId: (row as MultipartUpload).uploadId }
  if (table === Table.pendingDeliveries) {
    const { subscriptionArn, header, bodyKey } = row as Partial<PendingDelivery>
    return { subscriptionArn: subscriptionArn ?? '', isDirect: header?.direct !== undefined, bodyKey } satisfies PendingReference
  }
  if (table === Table.trailPlans) {
    const plan = row as TrailPlan
    return plan.kind === 'file' ? { spooled: plan.spooled, from: plan.from, to: plan.to } : {}
  }
  return true
}

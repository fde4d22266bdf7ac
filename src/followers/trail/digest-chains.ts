// Decides what digests hold, inside commits: chains begin and end with the rounds that see a trail begin and end, delivered log files wait
// for the digest of their time, and digests are planned when their window is over. Nothing here waits or writes to a bucket.
//
// A log file belongs to the window in which it was planned, which is the time that its name bears. A digest therefore waits a little for
// files that are planned and not yet delivered; what comes later still goes into a backfill digest.
import { lineageOf } from '../../engine/lineage.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { DIGEST_HASH_ALGORITHM, digestTime } from '../../model/digest.ts'
import {
  chainKey,
  type DigestChain,
  digestedFileKey,
  type DigestedFile,
  type DigestPlace,
  digestRegionKey,
  type PlannedDigest,
  plannedDigestKey,
} from '../../model/digest-chain.ts'
import { Table } from '../../model/tables.ts'
import type { PlannedFile, TrailSelection } from '../../model/trail.ts'
import { filesPrefix } from './plan-keys.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
/** So long a digest waits for log files of its window that are still on their way. */
const GRACE_MS = 600_000
/** After a longer absence one digest covers all missed hours but the last, in place of one for each. */
const CATCH_UP_HOURS_MAX = 48

/** Ends the chains of trails that log with validation no more, and opens those that are missing. `trailArns`: whom to look at. */
export function settleChains(tx: Transaction, trailArns: Iterable<string>, views: ReadonlyMap<string, TrailSelection>): void {
  for (const trailArn of new Set(trailArns)) {
    const view = views.get(trailArn)
    for (const chain of chainsOf(tx, trailArn)) if (chain.endsAt === undefined && !isWanted(chain, view)) endChain(tx, chain)
    if (view?.digests === undefined) continue
    for (const region of wantedRegions(tx, view)) {
      const chain = findChain(tx, view, region)
      if (chain === undefined || chain.endsAt !== undefined) openChain(tx, view, region)
    }
  }
}

/** The chain to which a log file belongs that is planned now for what `trail` selected; undefined when the trail validates none. */
export function chainOf(
  tx: Transaction,
  trail: TrailSelection,
  region: string,
  views: ReadonlyMap<string, TrailSelection>,
): number | undefined {
  const view = views.get(trail.trailArn)
  // A file that was begun before validation was turned on is listed as well.
  const digests = trail.digests ?? view?.digests
  if (digests === undefined) return undefined
  const validating = { ...trail, digests }
  const chain = findChain(tx, validating, region) ?? openChain(tx, validating, region)
  // Logging that began and stopped between two rounds has one digest, which begins and ends it.
  if (chain.endsAt === undefined && !isWanted(chain, view)) endChain(tx, chain)
  return chain.chain
}

/** A log file lies in its bucket: it waits for its digest. */
export function noteDelivered(tx: Transaction, plan: PlannedFile, { bucketName, hash }: { bucketName: string; hash: string }): void {
  if (plan.digestChain === undefined) return
  const place: DigestPlace = { trailArn: plan.trailArn, region: plan.region, chain: plan.digestChain }
  const chain = readChain(tx, place)
  if (chain === undefined) return
  const isLate = chain.isOver || (chain.digestsPlanned > 0 && plan.plannedAt < chain.windowStart)
  tx.put(Table.digests, digestedFileKey(place, tx.nextNumber('digested files')), {
    kind: 'file',
    ...place,
    plannedAt: plan.plannedAt,
    isLate,
    file: {
      s3Bucket: bucketName,
      s3Object: plan.objectKey,
      hashValue: hash,
      hashAlgorithm: DIGEST_HASH_ALGORITHM,
      newestEventTime: plan.newestEventAt === undefined ? null : digestTime(plan.newestEventAt),
      oldestEventTime: plan.oldestEventAt === undefined ? null : digestTime(plan.oldestEventAt),
    },
  })
  if (isLate) tx.put(Table.digests, chainKey(place), { ...chain, lateFiles: chain.lateFiles + 1 })
}

/** Plans what is due of a chain, and returns the keys of the plans. `upSince`: files on their way are waited for from then on. */
export function planDigests(tx: Transaction, place: DigestPlace, upSince: number): readonly string[] {
  const planned: string[] = []
  let chain = readChain(tx, place)
  if (chain !== undefined && chain.lineage !== lineageNumber(tx)) chain = startAnew(tx, chain)
  while (chain !== undefined && !chain.isOver) {
    const window = dueWindow(chain, tx.now)
    if (window === undefined) break
    const { endsAt, isFinal } = window
    const isOf = (plannedAt: number): boolean => isFinal || plannedAt < endsAt
    if (tx.now < Math.max(endsAt, upSince) + GRACE_MS && awaited(tx, place).some((plan) => isOf(plan.plannedAt))) break
    const files = filesOf(tx, place).filter(({ row }) => !row.isLate && isOf(row.plannedAt))
    planned.push(plan(tx, chain, { startsAt: chain.windowStart, endsAt, isBackfill: false }, files))
    chain = { ...chain, windowStart: endsAt, digestsPlanned: chain.digestsPlanned + 1, isOver: isFinal }
    tx.put(Table.digests, chainKey(place), chain)
  }
  if (chain !== undefined && chain.lateFiles > 0 && (planned.length > 0 || !hasUndelivered(tx, place.trailArn)))
    planned.push(planBackfill(tx, chain))
  return planned
}

/** Lets go of a chain of which nothing is to come any more. */
export function removeIfDone(tx: Transaction, place: DigestPlace): void {
  const chain = readChain(tx, place)
  if (chain?.isOver !== true || chain.lateFiles > 0 || awaited(tx, place).length > 0) return
  const digests = tx.range(Table.digests, { prefix: plannedDigestKey(place) })
  if (digests.some(({ value }) => value.kind === 'digest' && value.chain === place.chain)) return
  tx.delete(Table.digests, chainKey(place))
}

/** Whether there is something to decide about the chain. */
export function isDue(tables: TableReader, chain: DigestChain, now: number): boolean {
  return chain.lineage !== lineageNumber(tables) || chain.isOver || chain.lateFiles > 0 || dueWindow(chain, now) !== undefined
}

/** When the chain has to be looked at again, if nothing happens before. */
export function nextLookAt(chain: DigestChain, now: number, upSince: number): number {
  if (chain.isOver) return Infinity
  const dueAt = Math.min(chain.windowStart + HOUR_MS, chain.endsAt ?? Infinity)
  return dueAt > now ? dueAt : Math.max(dueAt, upSince) + GRACE_MS
}

/**
 * What a restore brought back may have gone on elsewhere after the backup was taken: digests of the same names may lie in the bucket, and
 * others may follow them. The chain starts anew with the present time, and lists what its digests to be were to list.
 */
function startAnew(tx: Transaction, chain: DigestChain): DigestChain {
  const { previous: _, previousBackfill: __, backfilledAt: ___, ...kept } = chain
  const digests = tx.range(Table.digests, { prefix: plannedDigestKey(chain) })
  const place: DigestPlace = { trailArn: chain.trailArn, region: chain.region, chain: chain.chain }
  for (const { key, value } of digests) {
    if (value.kind !== 'digest' || value.chain !== chain.chain) continue
    for (const file of value.files.toReversed())
      tx.put(Table.digests, digestedFileKey(place, tx.nextNumber('digested files')), {
        kind: 'file',
        ...place,
        plannedAt: value.startsAt,
        isLate: false,
        file,
      })
    tx.delete(Table.digests, key)
  }
  const files = filesOf(tx, chain)
  for (const { key, row } of files) if (row.isLate) tx.put(Table.digests, key, { ...row, isLate: false })
  const windowStart = Math.max(chain.windowStart, floorSecond(tx.now))
  const begun: DigestChain = {
    ...kept,
    lineage: lineageNumber(tx),
    windowStart,
    digestsPlanned: 0,
    lateFiles: 0,
    isOver: chain.isOver && files.length === 0,
    ...(chain.endsAt !== undefined && { endsAt: Math.max(chain.endsAt, windowStart + SECOND_MS) }),
  }
  tx.put(Table.digests, chainKey(begun), begun)
  return begun
}

function lineageNumber(tables: TableReader): number {
  return lineageOf(tables)?.number ?? 1
}

function isWanted(chain: DigestChain, view: TrailSelection | undefined): boolean {
  return view?.digests?.number === chain.era && (view.isMultiRegion || chain.region === view.homeRegion)
}

/** The home region, and for a trail of all regions those that ever had a log file of it. */
function wantedRegions(tx: Transaction, { trailArn, homeRegion, isMultiRegion }: TrailSelection): readonly string[] {
  if (!isMultiRegion) return [homeRegion]
  const prefix = digestRegionKey({ trailArn, region: '' })
  return [...new Set([homeRegion, ...tx.range(Table.digests, { prefix }).map(({ key }) => key.slice(prefix.length))])]
}

/** That of the trail's era: one that goes on before one that has an end. */
function findChain(tx: Transaction, { trailArn, digests }: TrailSelection, region: string): DigestChain | undefined {
  const chains = chainsOf(tx, trailArn, region).filter((chain) => chain.era === digests?.number && !chain.isOver)
  return chains.find(({ endsAt }) => endsAt === undefined) ?? chains.at(-1)
}

function openChain(tx: Transaction, trail: TrailSelection, region: string): DigestChain {
  const { trailArn, account, homeRegion, bucketName, keyPrefix } = trail
  const { number: era, since } = trail.digests ?? { number: 0, since: tx.now }
  const before = regionRow(tx, { trailArn, region })
  const from = floorSecond(since)
  // Regions that come later have their hours at the same minutes.
  const aligned = region === homeRegion ? from : from + Math.floor(Math.max(0, tx.now - from) / HOUR_MS) * HOUR_MS
  const chain: DigestChain = {
    kind: 'chain',
    trailArn,
    region,
    chain: tx.nextNumber('digest chains'),
    account,
    era,
    lineage: lineageNumber(tx),
    bucketName,
    keyPrefix,
    windowStart: Math.max(aligned, before.endedAt),
    digestsPlanned: 0,
    lateFiles: 0,
    isOver: false,
  }
  tx.put(Table.digests, chainKey(chain), chain)
  tx.put(Table.digests, digestRegionKey(chain), before)
  return chain
}

function endChain(tx: Transaction, chain: DigestChain): void {
  const endsAt = Math.max(ceilSecond(tx.now), chain.windowStart + SECOND_MS)
  tx.put(Table.digests, chainKey(chain), { ...chain, endsAt })
  tx.put(Table.digests, digestRegionKey(chain), { ...regionRow(tx, chain), endedAt: endsAt })
}

/** The window that is over by now, the oldest first. Its hours lie at the same minute and second throughout the chain. */
function dueWindow({ windowStart, endsAt }: DigestChain, now: number): { readonly endsAt: number; readonly isFinal: boolean } | undefined {
  const hours = Math.floor((Math.min(now, endsAt ?? Infinity) - windowStart) / HOUR_MS)
  if (hours >= 1) {
    const end = windowStart + (hours > CATCH_UP_HOURS_MAX ? hours - 1 : 1) * HOUR_MS
    return { endsAt: end, isFinal: end === endsAt }
  }
  return endsAt !== undefined && now >= endsAt ? { endsAt, isFinal: true } : undefined
}

interface FileRow {
  readonly key: string
  readonly row: DigestedFile
}

function planBackfill(tx: Transaction, chain: DigestChain): string {
  const late = filesOf(tx, chain).filter(({ row }) => row.isLate)
  const region = regionRow(tx, chain)
  const startsAt = chain.backfilledAt ?? floorSecond(Math.min(...late.map(({ row }) => row.plannedAt)))
  // Two backfill digests of one name would be one object.
  const endsAt = Math.max(ceilSecond(tx.now), startsAt + SECOND_MS, (region.backfilledAt ?? 0) + SECOND_MS)
  tx.put(Table.digests, digestRegionKey(chain), { ...region, backfilledAt: endsAt })
  tx.put(Table.digests, chainKey(chain), { ...chain, lateFiles: 0, backfilledAt: endsAt })
  return plan(tx, chain, { startsAt, endsAt, isBackfill: true }, late)
}

function plan(
  tx: Transaction,
  { trailArn, region, chain, account }: DigestChain,
  window: Pick<PlannedDigest, 'startsAt' | 'endsAt' | 'isBackfill'>,
  files: readonly FileRow[],
): string {
  const key = plannedDigestKey({ trailArn, region }, tx.nextNumber('digests'))
  const newestFirst = files.map(({ row }) => row.file).toReversed()
  tx.put(Table.digests, key, { kind: 'digest', trailArn, region, chain, account, ...window, files: newestFirst, plannedAt: tx.now })
  for (const file of files) tx.delete(Table.digests, file.key)
  return key
}

function chainsOf(tx: Transaction, trailArn: string, region?: string): readonly DigestChain[] {
  const prefix = `${trailArn}/chain/${region === undefined ? '' : `${region}/`}`
  return tx.range(Table.digests, { prefix }).flatMap(({ value }) => (value.kind === 'chain' ? [value] : []))
}

function readChain(tx: Transaction, place: DigestPlace): DigestChain | undefined {
  const row = tx.get(Table.digests, chainKey(place))
  return row?.kind === 'chain' ? row : undefined
}

function filesOf(tx: Transaction, place: DigestPlace): readonly FileRow[] {
  return tx
    .range(Table.digests, { prefix: digestedFileKey(place) })
    .flatMap(({ key, value }) => (value.kind === 'file' ? [{ key, row: value }] : []))
}

function regionRow(tx: Transaction, place: Omit<DigestPlace, 'chain'>) {
  const row = tx.get(Table.digests, digestRegionKey(place))
  return row?.kind === 'region' ? row : ({ kind: 'region', endedAt: 0 } as const)
}

/** The chain's log files that are planned and not delivered. */
function awaited(tx: Transaction, { trailArn, region, chain }: DigestPlace): readonly PlannedFile[] {
  return tx
    .range(Table.trailPlans, { prefix: filesPrefix(trailArn) })
    .flatMap(({ value }) => (value.kind === 'file' && value.digestChain === chain && value.region === region ? [value] : []))
}

function hasUndelivered(tx: Transaction, trailArn: string): boolean {
  return tx.range(Table.trailPlans, { prefix: filesPrefix(trailArn), limit: 1 }).length > 0
}

function floorSecond(at: number): number {
  return Math.floor(at / SECOND_MS) * SECOND_MS
}

function ceilSecond(at: number): number {
  return Math.ceil(at / SECOND_MS) * SECOND_MS
}

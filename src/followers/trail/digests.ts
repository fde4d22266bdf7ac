// Brings digests to their buckets: plans what is due, fixes the bytes of the oldest plan of a chain and signs them, puts the object, and
// ends the plan in one commit that is also the chain's link. A crash anywhere repeats the same digest; the next of a chain begins only
// when the one before lies in its bucket, so that a chain never forks.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Timer } from '../../base/clock.ts'
import type { DigestKeys } from '../../engine/digest-keys.ts'
import type { Env } from '../../engine/env.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { parseArn } from '../../model/arn.ts'
import { DIGEST_METADATA, DIGEST_SIGNATURE_ALGORITHM, digestKey, digestStringToSign, digestTime, formatDigest } from '../../model/digest.ts'
import { chainKey, type DigestChain, type PlannedDigest, type SealedDigest } from '../../model/digest-chain.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import { isDue, nextLookAt, planDigests, removeIfDone } from './digest-chains.ts'
import { putTrailObject, shownCode } from './log-bucket.ts'
import { changeStatus } from './trail-status.ts'

const RETRY: Backoff = { firstMs: 5_000, maxMs: 300_000 }
const TRIED_MS_MAX = 30 * 24 * 3600 * 1000
/** The wall clock may be set ahead, which no timer notices. */
const LOOK_MS_MAX = 60_000
const LANES_AT_ONCE = 4

/** The digests of one trail and region, oldest first, by their keys. */
interface Lane {
  readonly waiting: string[]
  failures: number
  timer: Timer | undefined
  isBusy: boolean
  /** The bucket has answered that it does not take the digest: it is not there. */
  isRefused: boolean
}

interface Destination {
  readonly bucketName: string
  readonly keyPrefix: string
}

export class Digests {
  readonly #env: Env
  readonly #keys: DigestKeys
  readonly #upSince: number
  /** The keys of all chains. */
  readonly #chains = new Set<string>()
  readonly #lanes = new Map<string, Lane>()
  readonly #running = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  #timer: Timer | undefined

  /** Continues with what is stored. */
  constructor(env: Env, keys: DigestKeys) {
    this.#env = env
    this.#keys = keys
    this.#upSince = env.clock.now()
    for (const { key, value } of env.tables.range(Table.digests, {})) {
      if (value.kind === 'chain') this.#chains.add(key)
      if (value.kind === 'digest') this.#laneOf(value).waiting.push(key)
    }
    env.tables.watch(Table.digests, (key) => {
      if (key.includes('/chain/')) this.#chains.add(key)
    })
  }

  /** Plans what is due by now. To be called when a round was closed and when log files were delivered or given up. */
  look(): void {
    if (this.#ending.signal.aborted) return
    this.#timer?.cancel()
    try {
      this.#plan()
    } catch (error) {
      this.#env.log.warn('digests could not be planned; it is tried again', { error: messageOf(error) })
    }
    const now = this.#env.clock.now()
    const next = Math.min(now + LOOK_MS_MAX, ...this.#rows().map((chain) => nextLookAt(chain, now, this.#upSince)))
    this.#timer = this.#env.clock.after(Math.max(1000, next - now), () => this.look())
    this.#start()
  }

  /** Resolves when nothing is under way: what still waits, waits for its next try. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    this.#timer?.cancel()
    for (const lane of this.#lanes.values()) lane.timer?.cancel()
    await this.settled()
  }

  #plan(): void {
    const now = this.#env.clock.now()
    const chains = this.#rows().filter((chain) => isDue(this.#env.tables, chain, now))
    if (chains.length === 0) return
    const { result, done } = this.#env.commits.commit((tx) => {
      const planned = chains.flatMap((chain) => planDigests(tx, chain, this.#upSince))
      for (const chain of chains) removeIfDone(tx, chain)
      return planned
    })
    if (result.length === 0) return
    const adding = done
      .then(() => {
        for (const key of result) {
          const row = this.#env.tables.get(Table.digests, key)
          if (row?.kind === 'digest') this.#laneOf(row).waiting.push(key)
        }
      })
      // The journal has failed; the server says so and stops writing.
      .catch(() => {})
    this.#run(adding)
  }

  #rows(): DigestChain[] {
    const rows: DigestChain[] = []
    for (const key of this.#chains) {
      const row = this.#env.tables.get(Table.digests, key)
      if (row?.kind === 'chain') rows.push(row)
      else this.#chains.delete(key)
    }
    return rows
  }

  #run(work: Promise<void>): void {
    const running = work.finally(() => {
      this.#running.delete(running)
      this.#start()
    })
    this.#running.add(running)
  }

  #start(): void {
    for (const [name, lane] of this.#lanes) {
      if (this.#ending.signal.aborted || this.#running.size >= LANES_AT_ONCE) return
      if (lane.isBusy || lane.timer !== undefined) continue
      const key = lane.waiting[0]
      if (key === undefined) this.#lanes.delete(name)
      else {
        lane.isBusy = true
        this.#run(this.#take(lane, key))
      }
    }
  }

  async #take(lane: Lane, key: string): Promise<void> {
    try {
      const row = this.#env.tables.get(Table.digests, key)
      if (row?.kind === 'digest') await this.#deliver(lane, key, row)
      else lane.waiting.shift()
    } catch (error) {
      this.#env.log.error('a digest could not be written and is tried again', { error: messageOf(error) })
      this.#wait(lane)
    } finally {
      lane.isBusy = false
    }
  }

  async #deliver(lane: Lane, key: string, plan: PlannedDigest): Promise<void> {
    const env = this.#env
    const { trailArn, account, region } = plan
    const sealed = await this.#sealed(lane, key, plan)
    const metadata = {
      [DIGEST_METADATA.signature]: sealed.signature,
      [DIGEST_METADATA.signatureAlgorithm]: DIGEST_SIGNATURE_ALGORITHM,
      ...(plan.isBackfill && { [DIGEST_METADATA.backfillGeneratedAt]: digestTime(plan.endsAt) }),
    }
    const content = Readable.from([await promisify(gzip)(textOf(plan, sealed))])
    const { bucketName, objectKey } = sealed
    // The key covers log files and digests alike (CloudTrail API, CreateTrail, KmsKeyId).
    const kmsKeyId = env.tables.get(Table.trails, trailArn)?.kmsKeyArn
    const put = await putTrailObject(env, {
      trailArn,
      account,
      region,
      bucketName,
      key: objectKey,
      metadata,
      content,
      ...(kmsKeyId !== undefined && { kmsKeyId }),
      signal: this.#ending.signal,
    })
    const attemptedAt = env.clock.now()
    if ('error' in put) return this.#failed(lane, key, put.error, attemptedAt)
    const { done } = env.commits.commit((tx) => {
      tx.delete(Table.digests, key)
      link(tx, plan, sealed)
      changeStatus(tx, trailArn, (status) => ({ ...status, latestDigestDeliveryAt: attemptedAt, latestDigestDeliveryError: undefined }))
    })
    await done
    lane.waiting.shift()
    lane.failures = 0
    lane.isRefused = false
    const chain = env.tables.get(Table.digests, chainKey(plan))
    if (chain?.kind === 'chain' && chain.isOver) this.look()
  }

  /** The digest with its bytes fixed. They change only where its bucket refuses it for good: the trail has another one by now. */
  async #sealed(lane: Lane, key: string, plan: PlannedDigest): Promise<SealedDigest> {
    const { tables, commits } = this.#env
    const chain = tables.get(Table.digests, chainKey(plan))
    const to: Destination | undefined = tables.get(Table.trails, plan.trailArn) ?? (chain?.kind === 'chain' ? chain : undefined)
    if (to === undefined) throw new Error(`digest ${key} has neither a trail nor a chain`)
    const place = { bucketName: to.bucketName, objectKey: nameOf(plan, to.keyPrefix) }
    const { sealed: before } = plan
    if (before !== undefined && (!lane.isRefused || (before.bucketName === place.bucketName && before.objectKey === place.objectKey)))
      return before
    const { fingerprint, sign } = await this.#keys.signer(plan.region, plan)
    const previous = chain?.kind !== 'chain' ? undefined : plan.isBackfill ? chain.previousBackfill : chain.previous
    const unsigned = { ...place, fingerprint, ...(previous !== undefined && { previous }) }
    const hash = createHash('sha256').update(textOf(plan, unsigned)).digest('hex')
    const signature = sign(
      digestStringToSign({
        digestEndTime: digestTime(plan.endsAt),
        digestS3Bucket: place.bucketName,
        digestS3Object: place.objectKey,
        hash,
        previousDigestSignature: previous?.signature ?? null,
      }),
    )
    const sealed: SealedDigest = { ...unsigned, hash, signature }
    // Commit point: from here on the digest is these bytes.
    const { done } = commits.commit((tx) => {
      tx.put(Table.digests, key, { ...plan, sealed })
      this.#keys.cover(tx, plan.region, fingerprint, plan)
    })
    await done
    return sealed
  }

  async #failed(lane: Lane, key: string, error: ServiceError, attemptedAt: number): Promise<void> {
    const { tables, log, commits } = this.#env
    // A server that stops refuses its own calls too: the digest waits for the next start.
    if (this.#ending.signal.aborted) return
    const plan = tables.get(Table.digests, key)
    if (plan?.kind !== 'digest') return
    const { trailArn, sealed } = plan
    if (tables.get(Table.trails, trailArn) === undefined && error.status < 500) {
      log.error('a digest is given up: its trail is deleted, and the bucket refuses it', { trail: trailArn, code: error.code })
      await commits.commit((tx) => tx.delete(Table.digests, key)).done
      lane.waiting.shift()
      return this.look()
    }
    if (lane.failures === 0) log.warn('a digest waits, because its bucket cannot be written', { trail: trailArn, code: error.code })
    lane.isRefused = error.status < 500
    this.#wait(lane)
    const shown = sealed && shownCode(this.#env, sealed.bucketName, error)
    const isOld = attemptedAt - plan.plannedAt > TRIED_MS_MAX
    const { done } = commits.commit((tx) => {
      if (shown !== undefined) changeStatus(tx, trailArn, (status) => ({ ...status, latestDigestDeliveryError: shown }))
      if (isOld) mergeIntoNext(tx, key, lane.waiting[1])
    })
    await done
    if (isOld && tables.get(Table.digests, key) === undefined) lane.waiting.shift()
  }

  #wait(lane: Lane): void {
    if (this.#ending.signal.aborted) return
    lane.failures++
    lane.timer = this.#env.clock.after(backoffMs(RETRY, lane.failures, this.#env.random), () => {
      lane.timer = undefined
      this.#start()
    })
  }

  #laneOf({ trailArn, region }: PlannedDigest): Lane {
    const name = `${trailArn} ${region}`
    let lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, (lane = { waiting: [], failures: 0, timer: undefined, isBusy: false, isRefused: false }))
    return lane
  }
}

function nameOf({ trailArn, account, region, endsAt, isBackfill }: PlannedDigest, keyPrefix: string): string {
  const arn = parseArn(trailArn)
  const trailName = (arn?.resource ?? '').slice('trail/'.length)
  return digestKey({ keyPrefix, account, region, trailName, homeRegion: arn?.region ?? '', endsAt, isBackfill })
}

function textOf(plan: PlannedDigest, sealed: Omit<SealedDigest, 'hash' | 'signature'>): string {
  const { account, startsAt, endsAt, files: logFiles } = plan
  const { bucketName, objectKey, fingerprint, previous } = sealed
  return formatDigest({ account, startsAt, endsAt, bucketName, objectKey, fingerprint, previous, logFiles })
}

/** The digest lies in its bucket: the next one of its chain names it. */
function link(tx: Transaction, plan: PlannedDigest, { bucketName, objectKey, hash, signature }: SealedDigest): void {
  const chain = tx.get(Table.digests, chainKey(plan))
  if (chain?.kind !== 'chain') return
  const made = { bucketName, objectKey, hash, signature }
  tx.put(Table.digests, chainKey(plan), { ...chain, ...(plan.isBackfill ? { previousBackfill: made } : { previous: made }) })
}

/** A digest that was never delivered leaves no gap: the next one of its chain takes its window and its files. */
function mergeIntoNext(tx: Transaction, key: string, nextKey: string | undefined): void {
  const [plan, next] = [tx.get(Table.digests, key), nextKey === undefined ? undefined : tx.get(Table.digests, nextKey)]
  if (nextKey === undefined || plan?.kind !== 'digest' || next?.kind !== 'digest') return
  if (next.chain !== plan.chain || next.isBackfill !== plan.isBackfill || next.sealed !== undefined) return
  tx.delete(Table.digests, key)
  tx.put(Table.digests, nextKey, { ...next, startsAt: plan.startsAt, files: [...next.files, ...plan.files] })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// Checkpoints by schedule and on demand, and their way out. A checkpoint is signed when events came that the publication of the one before
// did not itself cause, so that publishing never begets publishing.
import type { Timer } from '../../base/clock.ts'
import type { Env } from '../../engine/env.ts'
import { treeSigner } from '../../engine/tree-signing.ts'
import { Table } from '../../model/tables.ts'
import { formatCensusLine } from '../../model/tlog/census-line.ts'
import { signCheckpoint } from '../../model/tlog/checkpoint.ts'
import type { PublishedTree, SignedTree } from '../../model/tlog/tree-rows.ts'
import type { CountedHead, TreeFollower } from './follower.ts'
import type { Publication } from './publication.ts'

export interface CheckpointsOptions {
  readonly env: Env
  readonly follower: TreeFollower
  /** Undefined: only on demand. */
  readonly seconds: number | undefined
  readonly publications: readonly Publication[]
}

/** What was counted goes along, where there is something between two censuses. */
function linesOf({ census }: CountedHead): string[] {
  return census === undefined || census.first.leaves === census.last.leaves ? [] : [census.first, census.last].map(formatCensusLine)
}

const NOTHING_PUBLISHED: PublishedTree = { kind: 'published', topic: 0, file: 0, bucket: 0, partials: [] }

export class Checkpoints {
  readonly #options: CheckpointsOptions
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  readonly #failing = new Set<string>()
  #isStopped = false

  constructor(options: CheckpointsOptions) {
    this.#options = options
    this.#schedule()
  }

  newest(): SignedTree | undefined {
    const row = this.#options.env.tables.get(Table.tree, 'checkpoint')
    return row?.kind === 'checkpoint' ? row : undefined
  }

  /** Signs the tree as it is now. */
  async sign(): Promise<SignedTree> {
    const { env, follower } = this.#options
    await follower.catchUp()
    let signed: SignedTree | undefined
    await follower.commit((tx, head) => {
      const newest = this.newest()
      const signer = treeSigner(env, follower.state.origin)
      const isSame = newest?.size === head.size && newest.keyHash === signer.hash
      signed = isSame
        ? newest
        : { kind: 'checkpoint', size: head.size, signedAt: tx.now, keyHash: signer.hash, note: signCheckpoint(head, linesOf(head), signer) }
      if (!isSame) tx.put(Table.tree, 'checkpoint', signed)
    })
    if (signed === undefined) throw new Error('the commit of a checkpoint staged none')
    return signed
  }

  async settled(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #schedule(): void {
    const { env, seconds } = this.#options
    if (seconds === undefined || this.#isStopped) return
    this.#timer = env.clock.after(seconds * 1000, () => {
      this.#running = this.#round().finally(() => {
        this.#running = undefined
        this.#schedule()
      })
    })
  }

  async #round(): Promise<void> {
    const { env, follower, publications } = this.#options
    try {
      await follower.catchUp()
      const newest = this.newest()
      const isDue = follower.ownLeaves > (newest?.size ?? 0)
      const signed = isDue ? await this.sign() : newest
      if (signed === undefined) return
      for (const publication of publications) await this.#publish(publication, signed)
    } catch (error) {
      env.log.warn('the tree could not be signed and is tried again', { error: error instanceof Error ? error.message : String(error) })
    }
  }

  /** What could not be brought out is tried again at the next round, when it is the newest still. */
  async #publish(publication: Publication, signed: SignedTree): Promise<void> {
    const { env } = this.#options
    const row = env.tables.get(Table.tree, 'published')
    const published = row?.kind === 'published' ? row : NOTHING_PUBLISHED
    if (published[publication.name] >= signed.size) return
    try {
      const change = await publication.publish(signed, published)
      this.#failing.delete(publication.name)
      await env.commits.commit((tx) => {
        tx.put(Table.tree, 'published', { ...published, ...change, [publication.name]: signed.size })
        const details = { to: publication.name, target: publication.target, size: signed.size, keyHash: signed.keyHash }
        env.acts.tell(tx, { name: 'CheckpointPublished', details, isCaused: true })
      }).done
    } catch (error) {
      // A server that stops refuses its own calls too.
      if (this.#isStopped) return
      const message = error instanceof Error ? error.message : String(error)
      if (this.#failing.has(publication.name)) return
      this.#failing.add(publication.name)
      env.log.error('a checkpoint could not be published and is tried again', { to: publication.target, error: message })
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'Failed'
      const details = { to: publication.name, target: publication.target, size: signed.size }
      await env.acts.record({ name: 'CheckpointPublished', details, error: { code, message }, isCaused: true })
    }
  }
}

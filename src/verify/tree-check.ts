// Holds a tree's leaves against its checkpoints: every hash is made anew from the leaves, so that each checkpoint, old or new, either
// speaks of exactly these leaves or is told. Leaves of events are remembered by 64 bits each, to be met again in the log files.
import { openCheckpoint, type Checkpoint } from '../model/tlog/checkpoint.ts'
import { eventsBetween, parseCensusLine, type TreeCensus } from '../model/tlog/census-line.ts'
import { CAUSED, type EventLeaf, parseLeaf } from '../model/tlog/event-leaf.ts'
import { EMPTY_ROOT, leafHash, nodeHash } from '../model/tlog/merkle.ts'
import { formatVerifierKey, type NoteKey } from '../model/tlog/signed-note.ts'
import { decodeBundle, TILE_WIDTH, tilePath } from '../model/tlog/tiles.ts'
import { Fingerprints, halvesOf } from './fingerprints.ts'
import type { Findings, TreeSummary } from './report.ts'
import type { LogReader } from './source.ts'

export interface TreeInput {
  /** The tree's files; undefined when only checkpoints are given. */
  readonly log: LogReader | undefined
  /** Checkpoints from elsewhere: what each was read from, and its bytes. */
  readonly checkpoints: readonly { readonly from: string; readonly note: Buffer }[]
  readonly keys: readonly NoteKey[]
}

export interface CheckedTree {
  readonly summary: TreeSummary
  readonly leaves: Fingerprints
  /** The newest event's time, as it stands in its leaf. */
  readonly newestTime: string
  /** All leaves once more, in order. */
  each(take: (leaf: EventLeaf, index: number) => void): Promise<void>
}

export async function checkTree({ log, checkpoints, keys }: TreeInput, findings: Findings): Promise<CheckedTree | undefined> {
  const own = await log?.('checkpoint')
  const given = own === undefined ? checkpoints : [...checkpoints, { from: 'checkpoint', note: own }]
  const heads = openAll(given, keys, findings)
  if (log === undefined) return undefined
  const newest = heads.at(-1)
  if (newest === undefined)
    findings.unproved('no-checkpoint', 'tree', 'no signed checkpoint speaks of the tree', 'give one with --checkpoint')
  const size = newest?.checkpoint.size ?? Infinity
  const leaves = new Fingerprints()
  let newestTime = ''
  const stack = new Stack()
  const waiting = [...heads]
  const settle = (): void => {
    for (let head = waiting[0]; head !== undefined && head.checkpoint.size === stack.size; head = waiting[0]) {
      waiting.shift()
      if (stack.root().equals(head.checkpoint.root)) continue
      const what = `its first ${stack.size} events are not those that this checkpoint was signed for: the tree was rewritten`
      findings.broken('tree-rewritten', head.from, what)
    }
  }
  settle()
  const told = new ToldCalls(heads)
  const reached = await eachLeaf(log, size, findings, (leaf, index) => {
    const read = parseLeaf(leaf)
    if (read === undefined) findings.broken('leaf-unreadable', 'tree', `leaf ${index} is no line of this release's form`)
    else {
      if (classOf(read) === 'aws') leaves.add(...halvesOf(read.hash))
      if (read.time > newestTime) newestTime = read.time
    }
    told.pass(read, index)
    stack.add(leafHash(leaf))
    settle()
  })
  findings.counts.leaves = reached
  told.judge(reached, findings)
  for (const { from, checkpoint } of waiting)
    findings.broken(
      'tree-cut',
      from,
      `it was signed for ${checkpoint.size} events, but the tree ends with ${reached}: its end is missing`,
      'find the rest of the tree; what is missing was on the record when the checkpoint was signed',
    )
  const summary: TreeSummary = {
    origin: newest?.checkpoint.origin ?? '',
    size: reached,
    root: stack.root().toString('base64'),
    checkpoints: heads.map(({ checkpoint }) => checkpoint.size),
  }
  return {
    summary,
    leaves,
    newestTime,
    async each(take) {
      await eachLeaf(log, reached, undefined, (leaf, index) => {
        const read = parseLeaf(leaf)
        if (read !== undefined) take(read, index)
      })
    },
  }
}

/** `aws` for what trails may take, whoever caused it. */
export function classOf(leaf: EventLeaf): string {
  return leaf.class.endsWith(CAUSED) ? leaf.class.slice(0, -CAUSED.length) : leaf.class
}

interface Head {
  readonly from: string
  readonly checkpoint: Checkpoint
}

/** Those that are what they should be, smallest first. */
function openAll(given: TreeInput['checkpoints'], keys: readonly NoteKey[], findings: Findings): Head[] {
  const heads: Head[] = []
  for (const { from, note } of given) {
    const opened = openCheckpoint(note, keys)
    if ('problem' in opened) {
      findings.broken('checkpoint-unreadable', from, opened.problem)
      continue
    }
    const { checkpoint, signers } = opened
    if (signers.length === 0 && keys.length > 0) {
      findings.broken('checkpoint-key', from, `none of the keys given signed it: ${keys.map(formatVerifierKey).join(', ')}`)
      continue
    }
    if (signers.length === 0)
      findings.unproved(
        'checkpoint-unsigned',
        from,
        'who signed it was not checked',
        'give the verifier key with --key (sealcast tree keys)',
      )
    heads.push({ from, checkpoint })
  }
  heads.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
  const newest = heads.at(-1)
  return heads.filter(({ from, checkpoint }, at) => {
    if (checkpoint.origin !== newest?.checkpoint.origin) {
      const remedy = 'verify that tree by itself'
      findings.unproved('checkpoint-origin', from, `it speaks of another tree, ${checkpoint.origin}`, remedy)
      return false
    }
    const before = heads[at - 1]?.checkpoint
    if (before?.size === checkpoint.size && !before.root.equals(checkpoint.root))
      findings.broken('tree-forked', from, `another checkpoint for ${checkpoint.size} events has another root: two trees were shown`)
    return true
  })
}

/** Gives leaves until `size` or the end; returns how many there were. */
async function eachLeaf(
  log: LogReader,
  size: number,
  findings: Findings | undefined,
  take: (leaf: Buffer, index: number) => void,
): Promise<number> {
  let reached = 0
  for (let index = 0; reached < size; index++) {
    const width = Math.min(TILE_WIDTH, size - reached)
    const whole = await log(tilePath({ level: 'entries', index, width: TILE_WIDTH }))
    const bytes = whole ?? (width < TILE_WIDTH ? await log(tilePath({ level: 'entries', index, width })) : undefined)
    if (bytes === undefined) break
    const leaves = decodeBundle(bytes)
    if (leaves === undefined) {
      findings?.broken('bundle-unreadable', tilePath({ level: 'entries', index, width: TILE_WIDTH }), 'it is no bundle of leaves')
      break
    }
    for (const leaf of leaves.slice(0, width)) take(leaf, reached++)
    if (leaves.length < TILE_WIDTH) break
  }
  return reached
}

/** Calls served = events + listed exceptions: what the censuses on checkpoints say, against the leaves. */
class ToldCalls {
  readonly #spans: { readonly from: string; readonly first: TreeCensus; readonly last: TreeCensus }[] = []
  /** Leaves of calls before each census. */
  readonly #before = new Map<number, number>()
  #told = 0

  constructor(heads: readonly Head[]) {
    for (const { from, checkpoint } of heads) {
      const [first, last] = checkpoint.extensions.flatMap((line) => parseCensusLine(line) ?? [])
      if (first === undefined || last === undefined) continue
      this.#spans.push({ from, first, last })
      for (const { leaves } of [first, last]) this.#before.set(leaves, 0)
    }
  }

  pass(leaf: EventLeaf | undefined, index: number): void {
    if (this.#before.has(index)) this.#before.set(index, this.#told)
    if (leaf === undefined || !['aws', 'own'].includes(classOf(leaf))) return
    // What the server tells of itself is no event of a call; a refused signature's is one, and bears no account.
    if (leaf.category !== 'sealcast' || leaf.account === '-') this.#told++
  }

  judge(reached: number, findings: Findings): void {
    if (this.#before.has(reached)) this.#before.set(reached, this.#told)
    for (const { from, first, last } of this.#spans) {
      if (last.leaves > reached) continue
      const events = (this.#before.get(last.leaves) ?? 0) - (this.#before.get(first.leaves) ?? 0)
      const expected = eventsBetween(first, last)
      findings.counts.calls = Math.max(findings.counts.calls, last.calls - first.calls)
      if (events === expected) continue
      const calls = `${last.calls - first.calls} calls were served between the events ${first.leaves} and ${last.leaves}`
      const what = `${calls}, which leave ${expected} events; the tree has ${events}`
      findings.broken('incomplete', from, what, 'ask for the Census events of that time; calls were served and are not on the record')
    }
  }
}

/** Complete subtrees from the left, largest first. */
class Stack {
  readonly #trees: { readonly size: number; readonly hash: Buffer }[] = []
  size = 0

  add(leaf: Buffer): void {
    this.size++
    let tree = { size: 1, hash: leaf }
    for (let top = this.#trees.at(-1); top?.size === tree.size; top = this.#trees.at(-1)) {
      this.#trees.pop()
      tree = { size: tree.size * 2, hash: nodeHash(top.hash, tree.hash) }
    }
    this.#trees.push(tree)
  }

  root(): Buffer {
    return this.#trees.length === 0 ? EMPTY_ROOT : this.#trees.map(({ hash }) => hash).reduceRight((right, left) => nodeHash(left, right))
  }
}

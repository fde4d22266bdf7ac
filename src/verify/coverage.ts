// What the tree holds and no file does: the end of the record that was cut off, or events that the trail was to select. A leaf does not say
// what a trail selects; hence only what the trail is known to take, by its files or by who asks, is told as broken.
import type { Window } from './chain.ts'
import type { Findings } from './report.ts'
import { CAUSED } from '../model/tlog/event-leaf.ts'
import { type CheckedTree, classOf } from './tree-check.ts'
import { halvesOf } from './fingerprints.ts'

export interface CoverageOptions {
  /** Categories of which the trail selects every event, by the word of who asks. */
  readonly complete: ReadonlySet<string>
  readonly from: number | undefined
  readonly to: number | undefined
  /** By account, slash, region. */
  readonly windows: ReadonlyMap<string, { readonly windows: readonly Window[]; readonly endsEarly: boolean }>
}

interface Group {
  readonly place: string
  readonly category: string
  seen: number
  /** Before the newest that was seen. */
  inside: number
  insideFirst: string
  /** Since the newest that was seen. */
  tail: number
  tailFirst: string
  tailLast: string
}

/** Events may be this late in their file. */
const LATE_MS = 20 * 60_000

export async function judgeCoverage(tree: CheckedTree, options: CoverageOptions, findings: Findings): Promise<void> {
  const newest = Date.parse(tree.newestTime)
  const groups = new Map<string, Group>()
  await tree.each((leaf) => {
    if (classOf(leaf) !== 'aws') return
    const at = Date.parse(leaf.time)
    if ((options.from !== undefined && at < options.from) || (options.to !== undefined && at > options.to)) return
    const place = `${leaf.account}/${leaf.region}`
    const name = `${place} ${leaf.category}`
    let group = groups.get(name)
    if (group === undefined) groups.set(name, (group = newGroup(place, leaf.category)))
    if (tree.leaves.isMarked(...halvesOf(leaf.hash))) {
      group.seen++
      group.inside += group.tail
      if (group.tail > 0 && group.insideFirst === '') group.insideFirst = group.tailFirst
      group.tail = 0
      return
    }
    if (leaf.class.endsWith(CAUSED) || at > newest - LATE_MS || isBetween(at, options.windows.get(place)?.windows)) return
    if (group.tail++ === 0) group.tailFirst = `${leaf.eventId} of ${leaf.time}`
    group.tailLast = leaf.time
  })
  for (const group of groups.values()) judge(group, options, findings)
}

function judge(group: Group, { complete, windows }: CoverageOptions, findings: Findings): void {
  const { place, category, seen, inside, insideFirst, tail, tailFirst, tailLast } = group
  const where = windows.get(place)
  const kind = `${category} events of ${place}`
  const remedy = 'find the files, in another copy or in the trail that delivers them; the tree proves that the events were on the record'
  if (seen === 0 && tail > 0 && !complete.has(category)) {
    const remedyNone = `right, if the trail does not take them; else give --complete ${category}`
    findings.unproved('not-in-files', place, `${tail} ${kind} are in the tree and none of them in a file`, remedyNone)
    return
  }
  if (tail > 0) {
    const what = `${tail} ${kind} from ${tailFirst} to ${tailLast} are in the tree, and no file reaches so far: the end is missing`
    if (complete.has(category) || (inside === 0 && where?.endsEarly !== true)) findings.broken('truncated', place, what, remedy)
    else findings.unproved('truncated', place, what, 'right, if logging was stopped or the trail does not take them')
  }
  if (inside === 0) return
  const what = `${inside} ${kind} are in the tree and in no file, the first ${insideFirst}; ${seen} are`
  if (complete.has(category)) findings.broken('not-in-files', place, what, remedy)
  else findings.unproved('not-in-files', place, what, `right, if the trail does not take them; else give --complete ${category}`)
}

function newGroup(place: string, category: string): Group {
  return { place, category, seen: 0, inside: 0, insideFirst: '', tail: 0, tailFirst: '', tailLast: '' }
}

/** Before the first chain or between two: nothing was to be logged then. */
function isBetween(at: number, windows: readonly Window[] | undefined): boolean {
  const last = windows?.at(-1)
  if (windows === undefined || last === undefined || at > last.to) return false
  // In the very second in which logging began, events lie on both sides of it.
  return !windows.some(({ from, to }) => at > from && at <= to)
}

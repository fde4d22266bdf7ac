// What each logging trail selects, as of a place in the journal: trails change by entries of the same journal, so that reading the same
// frames again always selects the same events, whatever has become of the trails since.
import { ENTRY_HEADER_BYTES, EntryKind, EventClass, EventFlag, entryEnd, eventAt, readEntryAt } from '../../model/entry.ts'
import { takesEvent } from '../../model/event-selector.ts'
import { type RecordTemplate, RecordTemplates } from '../../model/record-templates.ts'
import type { Trail, TrailSelection } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import type { Frame } from '../../storage/journal.ts'

export interface Selected {
  readonly trail: TrailSelection
  readonly region: string
  /** The record's bytes stand in the frame's payload, from `start` to `end`. */
  readonly start: number
  readonly end: number
  /** The record's form. */
  readonly template: RecordTemplate
  readonly committedAt: number
  /** A trail's own delivery caused the call. */
  readonly isCaused: boolean
}

type Changes = ReadonlyMap<string, TrailSelection | undefined>
const NO_CHANGES: Changes = new Map()

export class TrailViews {
  readonly #logging: Map<string, TrailSelection>
  readonly #only: string | undefined
  readonly #templates = new RecordTemplates()
  /** Who takes records of a form, for the trails that log now. */
  #takers = new WeakMap<RecordTemplate, readonly TrailSelection[]>()

  /** `only`: follow this one trail and no other. */
  constructor(logging: Iterable<TrailSelection> = [], only?: string) {
    this.#logging = new Map([...logging].map((selection) => [selection.trailArn, selection]))
    this.#only = only
  }

  get logging(): ReadonlyMap<string, TrailSelection> {
    return this.#logging
  }

  /**
   * Gives what the frame's events are to each trail, then stands behind the frame. Where the frame itself starts or stops a trail its
   * events still belong to it: StartLogging is the first event of a trail and StopLogging or DeleteTrail the last.
   */
  read({ payload }: Frame, take: (selected: Selected) => void): void {
    const changes = changesOf(payload, this.#only)
    if (this.#logging.size === 0 && changes.size === 0) return
    if (changes.size === 0) return this.#give(payload, this.#logging, this.#takers, take)
    const trails = new Map(this.#logging)
    for (const [trailArn, selection] of changes) {
      if (selection !== undefined && !trails.has(trailArn)) trails.set(trailArn, selection)
      if (selection === undefined) this.#logging.delete(trailArn)
      else this.#logging.set(trailArn, selection)
    }
    this.#takers = new WeakMap()
    this.#give(payload, trails, new WeakMap(), take)
  }

  #give(
    payload: Buffer,
    trails: ReadonlyMap<string, TrailSelection>,
    takers: WeakMap<RecordTemplate, readonly TrailSelection[]>,
    take: (selected: Selected) => void,
  ): void {
    for (let at = 0, end = 0; at < payload.length; at = end) {
      end = entryEnd(payload, at)
      if (payload[at] !== EntryKind.event) continue
      const { class: eventClass, flags, committedAt, jsonAt } = eventAt(payload, at)
      if (eventClass !== EventClass.aws) continue
      const template = this.#templates.match(payload, jsonAt, end)
      let taking = takers.get(template)
      if (taking === undefined) takers.set(template, (taking = [...trails.values()].filter((trail) => takesEvent(trail, template.event))))
      if (taking.length === 0) continue
      const region = template.event.awsRegion ?? ''
      const isCaused = (flags & EventFlag.caused) !== 0
      for (const trail of taking) take({ trail, region, start: jsonAt, end, template, committedAt, isCaused })
    }
  }
}

function changesOf(payload: Buffer, only: string | undefined): Changes {
  let changes: Map<string, TrailSelection | undefined> | undefined
  for (let at = 0, end = 0; at < payload.length; at = end) {
    end = entryEnd(payload, at)
    const kind = payload[at]
    if ((kind !== EntryKind.put && kind !== EntryKind.delete) || payload[at + ENTRY_HEADER_BYTES] !== Table.trails) continue
    const entry = readEntryAt(payload.subarray(at, end))
    if (entry.kind !== 'put' && entry.kind !== 'delete') continue
    if (only !== undefined && entry.key !== only) continue
    changes ??= new Map()
    changes.set(entry.key, entry.kind === 'put' ? loggingSelection(entry.value) : undefined)
  }
  return changes ?? NO_CHANGES
}

function loggingSelection(json: Buffer): TrailSelection | undefined {
  const trail = JSON.parse(json.toString('utf8')) as Trail
  if (!trail.isLogging) return undefined
  const { trailArn, account, homeRegion, bucketName, keyPrefix, isMultiRegion, includeGlobalServiceEvents, isRecursive, isLogging } = trail
  return {
    trailArn,
    account,
    homeRegion,
    bucketName,
    keyPrefix,
    ...(trail.snsTopicArn !== undefined && { snsTopicArn: trail.snsTopicArn }),
    isMultiRegion,
    includeGlobalServiceEvents,
    isRecursive,
    isLogging,
    ...(trail.digests !== undefined && { digests: trail.digests }),
    ...(trail.eventSelectors !== undefined && { eventSelectors: trail.eventSelectors }),
    ...(trail.advancedEventSelectors !== undefined && { advancedEventSelectors: trail.advancedEventSelectors }),
  }
}

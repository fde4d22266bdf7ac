// What each logging trail selects, as of a place in the journal: trails change by entries of the same journal, so that reading the same
// frames again always selects the same events, whatever has become of the trails since.
import { EntryKind, EventClass, EventFlag, readEntries } from '../../model/entry.ts'
import { type SelectableEvent, takesEvent } from '../../model/event-selector.ts'
import type { Trail, TrailSelection } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import type { Frame } from '../../storage/journal.ts'

export interface Selected {
  readonly trail: TrailSelection
  readonly region: string
  /** The record's bytes; a view on the frame. */
  readonly json: Buffer
  /** A trail's own delivery caused the call. */
  readonly isCaused: boolean
}

const CHANGES: ReadonlySet<number> = new Set([EntryKind.put, EntryKind.delete])
const EVENTS: ReadonlySet<number> = new Set([EntryKind.event])

export class TrailViews {
  readonly #logging: Map<string, TrailSelection>
  readonly #only: string | undefined

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
  read(frame: Frame, take: (selected: Selected) => void): void {
    const changes = this.#changesOf(frame)
    if (this.#logging.size === 0 && changes.size === 0) return
    const trails = new Map(this.#logging)
    for (const [trailArn, selection] of changes) {
      if (selection !== undefined && !trails.has(trailArn)) trails.set(trailArn, selection)
      if (selection === undefined) this.#logging.delete(trailArn)
      else this.#logging.set(trailArn, selection)
    }
    if (trails.size === 0) return
    for (const { entry } of readEntries(frame.payload, EVENTS)) {
      if (entry.kind !== 'event' || entry.class !== EventClass.aws) continue
      const { json, flags } = entry
      const event = JSON.parse(json.toString('utf8')) as SelectableEvent
      for (const trail of trails.values())
        if (takesEvent(trail, event)) take({ trail, region: event.awsRegion ?? '', json, isCaused: (flags & EventFlag.caused) !== 0 })
    }
  }

  #changesOf(frame: Frame): ReadonlyMap<string, TrailSelection | undefined> {
    const changes = new Map<string, TrailSelection | undefined>()
    for (const { entry } of readEntries(frame.payload, CHANGES)) {
      if ((entry.kind !== 'put' && entry.kind !== 'delete') || entry.table !== Table.trails) continue
      if (this.#only !== undefined && entry.key !== this.#only) continue
      changes.set(entry.key, entry.kind === 'put' ? loggingSelection(entry.value) : undefined)
    }
    return changes
  }
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
    ...(trail.eventSelectors !== undefined && { eventSelectors: trail.eventSelectors }),
    ...(trail.advancedEventSelectors !== undefined && { advancedEventSelectors: trail.advancedEventSelectors }),
  }
}

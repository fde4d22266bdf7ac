// What SQS's documentation says of queues, as plainly as it can be put: every message of a history with all the places where it may be by
// now. A call's outcome rules places out; when none is left, the queue did what no queue may do. Shares no code with the server.
import assert from 'node:assert/strict'

export interface QueueSettings {
  visibilityMs: number
  delayMs: number
  retentionMs: number
  redrive: { readonly target: string; readonly receivesMax: number } | undefined
}

/** One life of a queue: made, and made anew after it was deleted. */
export interface ModelQueue {
  readonly name: string
  readonly url: string
  readonly isFifo: boolean
  readonly createdAt: number
  /** FIFO: bodies stand for deduplication ids that are not given; ids count within their group. */
  readonly isContentBased: boolean
  readonly isScopedToGroup: boolean
  readonly settings: QueueSettings
  /** By scope and id: what the first of its kind was answered with. */
  readonly sent: Map<string, FirstSend>
  purgedAt: number
  isGone: boolean
  lastSequence: bigint
}

export interface FirstSend {
  readonly at: number
  readonly messageId: string
  readonly sequenceNumber: string | undefined
  /** Nobody says whether a purge ends it. */
  isUncertain: boolean
}

export interface Place {
  readonly queue: ModelQueue
  readonly sentAt: number
  readonly visibleAt: number
  /** Undefined in a dead-letter queue until it shows itself: the documentation is silent on what moving does to the count. */
  readonly receives: number | undefined
  readonly firstReceivedAt: number
  /** The order in which messages came into their queue. */
  readonly arrival: number
  readonly deadLetterSource: ModelQueue | undefined
}

export const GONE = 'gone'

export interface Handle {
  readonly text: string
  readonly queue: ModelQueue
  readonly receives: number
  /** A message that left and came back is another one to its queue. */
  readonly arrivals: readonly number[]
}

export interface ModelMessage {
  /** Travels in a message attribute, so that equal bodies are told apart. */
  readonly name: string
  readonly body: string
  readonly group: string | undefined
  readonly deduplicationId: string | undefined
  places: readonly (Place | typeof GONE)[]
  readonly handles: Handle[]
}

/** As it was received. */
export interface Shown {
  readonly name: string
  readonly body: string
  readonly handle: string
  readonly receives: number
  readonly sentAt: number
  readonly firstReceivedAt: number
  readonly group: string | undefined
  readonly deduplicationId: string | undefined
  readonly sequenceNumber: string | undefined
  readonly deadLetterSourceArn: string | undefined
}

export type Standing = 'elsewhere' | 'expired' | 'delayed' | 'inFlight' | 'exhausted' | 'ready'

export const DEDUPLICATION_MS = 300_000

export class Reference {
  readonly messages = new Map<string, ModelMessage>()
  readonly queues = new Map<string, ModelQueue>()
  /** Deleted at that time, by name. */
  readonly deletedAt = new Map<string, number>()
  #arrivals = 0

  nextArrival(): number {
    return ++this.#arrivals
  }

  /** The dead-letter queue that is in force: it exists. */
  deadLetterQueue(queue: ModelQueue): ModelQueue | undefined {
    const { redrive } = queue.settings
    return redrive === undefined ? undefined : this.queues.get(redrive.target)
  }

  standing(place: Place | typeof GONE, queue: ModelQueue, now: number): Standing {
    if (place === GONE || place.queue !== queue) return 'elsewhere'
    if (place.sentAt + queue.settings.retentionMs <= now) return 'expired'
    if (place.visibleAt > now) return place.receives === 0 ? 'delayed' : 'inFlight'
    const isExhausted =
      this.deadLetterQueue(queue) !== undefined && (place.receives ?? 0) >= (queue.settings.redrive?.receivesMax ?? Infinity)
    return isExhausted ? 'exhausted' : 'ready'
  }

  /** What has outlived its retention may be gone at any time; until then it comes back when the retention grows. */
  expire(queue: ModelQueue, now: number): void {
    for (const message of this.in(queue)) {
      const isExpired = message.places.some((place) => this.standing(place, queue, now) === 'expired')
      if (isExpired && !message.places.includes(GONE)) message.places = [...message.places, GONE]
    }
  }

  /** Messages that may be in the queue, in the order in which they came. */
  in(queue: ModelQueue): ModelMessage[] {
    const arrivals: { readonly message: ModelMessage; readonly arrival: number }[] = []
    for (const message of this.messages.values()) {
      const own = message.places.flatMap((place) => (place !== GONE && place.queue === queue ? [place.arrival] : []))
      // Where it may have come at several times, those before it came as early.
      if (own.length > 0) arrivals.push({ message, arrival: Math.min(...own) })
    }
    return arrivals.sort((a, b) => a.arrival - b.arrival).map(({ message }) => message)
  }

  arrived(
    queue: ModelQueue,
    message: Omit<ModelMessage, 'places' | 'handles'>,
    { now, visibleAt }: { readonly now: number; readonly visibleAt: number },
  ): void {
    const place: Place = {
      queue,
      sentAt: now,
      visibleAt,
      receives: 0,
      firstReceivedAt: 0,
      arrival: this.nextArrival(),
      deadLetterSource: undefined,
    }
    this.messages.set(message.name, { ...message, places: [place], handles: [] })
  }

  /** As a receive moves it that finds it received too often. In a FIFO queue its age counts anew, in a standard one it goes on. */
  deadLettered(place: Place, to: ModelQueue, now: number): Place {
    return {
      queue: to,
      sentAt: to.isFifo ? now : place.sentAt,
      visibleAt: now,
      receives: undefined,
      firstReceivedAt: 0,
      arrival: this.nextArrival(),
      deadLetterSource: place.queue,
    }
  }

  /** Everything in the queue goes: a purge, or its end. */
  emptied(queue: ModelQueue): void {
    for (const message of this.in(queue))
      message.places = message.places.map((place) => (place !== GONE && place.queue === queue ? GONE : place))
    for (const first of queue.sent.values()) first.isUncertain = true
  }

  /** The delete was acknowledged: wherever in this queue the message was, it is no more. */
  deleted(message: ModelMessage, { queue, arrivals }: Handle): void {
    const isIt = (place: Place | typeof GONE): boolean => place !== GONE && place.queue === queue && arrivals.includes(place.arrival)
    message.places = message.places.map((place) => (isIt(place) ? GONE : place))
  }

  /** Only of a FIFO queue, and only by a handle whose time is over, or that is not the newest. */
  deleteRefused(message: ModelMessage, handle: Handle, now: number): void {
    assert.ok(handle.queue.isFifo, `a standard queue deletes ${message.name} by any of its handles`)
    this.#rule(
      message,
      (place) => !this.#isHeldBy(place, handle, now),
      `the delete of ${message.name} by the handle that holds it was refused`,
    )
  }

  visibilityChanged(message: ModelMessage, handle: Handle, now: number, visibleAt: number): void {
    this.#rule(
      message,
      (place) => this.#isHeldBy(place, handle, now),
      `the handle does not hold ${message.name}, yet changed its visibility`,
    )
    message.places = message.places.map((place) => (place === GONE ? place : { ...place, visibleAt }))
  }

  changeRefused(message: ModelMessage, handle: Handle, now: number): void {
    const isFree = (place: Place | typeof GONE): boolean =>
      !this.#isHeldBy(place, handle, now) || this.standing(place, handle.queue, now) === 'expired'
    this.#rule(message, isFree, `the change of the visibility of ${message.name} by the handle that holds it was refused`)
  }

  checkCounts(
    queue: ModelQueue,
    now: number,
    counted: { readonly visible: number; readonly inFlight: number; readonly delayed: number },
  ): void {
    this.expire(queue, now)
    const bounds = { visible: [0, 0], inFlight: [0, 0], delayed: [0, 0] }
    for (const message of this.in(queue)) {
      const kinds = message.places.map((place) => this.#kind(place, queue, now))
      for (const kind of ['visible', 'inFlight', 'delayed'] as const) {
        if (kinds.every((each) => each === kind)) bounds[kind][0] = (bounds[kind][0] ?? 0) + 1
        if (kinds.includes(kind)) bounds[kind][1] = (bounds[kind][1] ?? 0) + 1
      }
    }
    for (const kind of ['visible', 'inFlight', 'delayed'] as const) {
      const [least = 0, most = 0] = bounds[kind]
      assert.ok(
        counted[kind] >= least && counted[kind] <= most,
        `${queue.name} counts ${counted[kind]} messages ${kind}; there are ${least === most ? least : `${least} to ${most}`}`,
      )
    }
  }

  describe(message: ModelMessage, now: number): string {
    const places = message.places.map((place) => {
      if (place === GONE) return GONE
      const standing = this.standing(place, place.queue, now)
      return `${standing} in ${place.queue.name} (visible from ${place.visibleAt - now} ms on, received ${place.receives ?? 'some'} times)`
    })
    return `${message.name} is ${places.join(' or ')}`
  }

  #kind(place: Place | typeof GONE, queue: ModelQueue, now: number): 'visible' | 'inFlight' | 'delayed' | undefined {
    if (place === GONE || place.queue !== queue) return undefined
    if (place.visibleAt <= now) return 'visible'
    return place.receives === 0 ? 'delayed' : 'inFlight'
  }

  #isHeldBy(place: Place | typeof GONE, { queue, receives, arrivals }: Handle, now: number): boolean {
    if (place === GONE || place.queue !== queue || !arrivals.includes(place.arrival)) return false
    return place.receives === receives && place.visibleAt > now
  }

  /** Keeps the places that agree with what was seen. */
  #rule(message: ModelMessage, agrees: (place: Place | typeof GONE) => boolean, problem: string): void {
    const left = message.places.filter(agrees)
    assert.ok(left.length > 0, problem)
    message.places = left
  }
}

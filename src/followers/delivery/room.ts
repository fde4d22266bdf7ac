// How many attempts may be under way: over all, and for each host, whose connections are as many. A lane that finds no room stands in line;
// what waits there is small, since an attempt is prepared only when it can be made.

import type { Subscription } from '../../model/topic.ts'

export interface RoomLimits {
  /** Attempts at the same time, over all. */
  readonly running: number
  readonly runningBytes: number
  /** And for each host. */
  readonly perHost: number
}

/** Lanes and what lets each go on, in order. */
type Line = Map<object, () => void>

interface Host {
  running: number
  readonly line: Line
}

export class Room {
  readonly #limits: RoomLimits
  /** Those with attempts under way. */
  readonly #hosts = new Map<string, Host>()
  readonly #line: Line = new Map()
  #running = 0
  #bytes = 0
  #idle: (() => void)[] = []
  #isClosed = false

  constructor(limits: RoomLimits) {
    this.#limits = limits
  }

  get running(): number {
    return this.#running
  }

  /** Whether nothing more may begin at the host; undefined: it shares nothing. */
  isFull(host: string | undefined): boolean {
    return this.#isFullOverall || (host !== undefined && (this.#hosts.get(host)?.running ?? 0) >= this.#limits.perHost)
  }

  begin(host: string | undefined, bytes: number): void {
    this.#running++
    this.#bytes += bytes
    if (host === undefined) return
    const known = this.#hosts.get(host)
    if (known === undefined) this.#hosts.set(host, { running: 1, line: new Map() })
    else known.running++
  }

  /** An attempt of `lane` is over, which may `goOn` when it is its turn: who waits comes first. */
  end(host: string | undefined, bytes: number, lane: object, goOn: () => void): void {
    this.#running--
    this.#bytes -= bytes
    const there = host === undefined ? undefined : this.#hosts.get(host)
    if (there !== undefined) there.running--
    const line = there !== undefined && there.line.size > 0 ? there.line : this.#line
    if (line.size === 0) goOn()
    else if (!line.has(lane)) line.set(lane, goOn)
    if (there !== undefined) {
      this.#serve(there.line, () => there.running >= this.#limits.perHost)
      if (there.running === 0 && there.line.size === 0 && host !== undefined) this.#hosts.delete(host)
    }
    this.#serve(this.#line, () => this.#isFullOverall)
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** For who found no room: `goOn` is called once when there is some. */
  wait(host: string | undefined, lane: object, goOn: () => void): void {
    const there = host === undefined || this.#isFullOverall ? undefined : this.#hosts.get(host)
    ;(there?.line ?? this.#line).set(lane, goOn)
  }

  isInLine(host: string | undefined, lane: object): boolean {
    return this.#line.has(lane) || (host !== undefined && this.#hosts.get(host)?.line.has(lane) === true)
  }

  /** Calls nobody any more. */
  close(): void {
    this.#isClosed = true
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  get #isFullOverall(): boolean {
    return this.#running >= this.#limits.running || this.#bytes >= this.#limits.runningBytes
  }

  #serve(line: Line, isFull: () => boolean): void {
    while (line.size > 0 && !this.#isClosed && !isFull()) {
      const [next] = line
      if (next === undefined) return
      line.delete(next[0])
      next[1]()
    }
  }
}

/** Scheme, host and port of an HTTP endpoint, as its URL writes them; other protocols share no connections. */
export function hostOf(subscription: Subscription | undefined): string | undefined {
  if (subscription === undefined || !subscription.protocol.startsWith('http')) return undefined
  let host = hosts.get(subscription)
  if (host === undefined) {
    const { endpoint } = subscription
    const end = endpoint.indexOf('/', endpoint.indexOf('//') + 2)
    hosts.set(subscription, (host = end === -1 ? endpoint : endpoint.slice(0, end)))
  }
  return host
}

const hosts = new WeakMap<Subscription, string>()

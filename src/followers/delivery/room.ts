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

/** Who has attempts to make. */
export interface Guest {
  /** Undefined: its attempts share connections with nobody's. */
  readonly host: string | undefined
  /** Whether it waits for room. The room's to change. */
  isInLine: boolean
  /** There is room, for one attempt at least. */
  readonly goOn: () => void
}

interface Host {
  running: number
  readonly line: Guest[]
}

export class Room {
  readonly #limits: RoomLimits
  /** Those with attempts under way. */
  readonly #hosts = new Map<string, Host>()
  readonly #line: Guest[] = []
  #running = 0
  #bytes = 0
  #idle: (() => void)[] = []

  constructor(limits: RoomLimits) {
    this.#limits = limits
  }

  get running(): number {
    return this.#running
  }

  /** Whether it may begin no attempt now. */
  isFull({ host }: Guest): boolean {
    return this.#isFullOverall || (host !== undefined && (this.#hosts.get(host)?.running ?? 0) >= this.#limits.perHost)
  }

  begin({ host }: Guest, bytes: number): void {
    this.#running++
    this.#bytes += bytes
    if (host === undefined) return
    const known = this.#hosts.get(host)
    if (known === undefined) this.#hosts.set(host, { running: 1, line: [] })
    else known.running++
  }

  /** An attempt is over. Whose it was goes on when those had their turn who wait. */
  end(guest: Guest, bytes: number): void {
    this.#running--
    this.#bytes -= bytes
    const there = guest.host === undefined ? undefined : this.#hosts.get(guest.host)
    if (there !== undefined) there.running--
    const line = there !== undefined && there.line.length > 0 ? there.line : this.#line
    if (line.length === 0) guest.goOn()
    else this.#queue(line, guest)
    if (there !== undefined) {
      while (there.line.length > 0 && there.running < this.#limits.perHost) this.#serve(there.line)
      if (there.running === 0 && there.line.length === 0 && guest.host !== undefined) this.#hosts.delete(guest.host)
    }
    while (this.#line.length > 0 && !this.#isFullOverall) this.#serve(this.#line)
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** For who found no room: it is called once when there is some. */
  wait(guest: Guest): void {
    const there = guest.host === undefined || this.#isFullOverall ? undefined : this.#hosts.get(guest.host)
    this.#queue(there?.line ?? this.#line, guest)
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  get #isFullOverall(): boolean {
    return this.#running >= this.#limits.running || this.#bytes >= this.#limits.runningBytes
  }

  #queue(line: Guest[], guest: Guest): void {
    if (guest.isInLine) return
    guest.isInLine = true
    line.push(guest)
  }

  #serve(line: Guest[]): void {
    const next = line.shift()
    if (next === undefined) return
    next.isInLine = false
    next.goOn()
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

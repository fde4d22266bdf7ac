// The inbox: what providers of the kind `capture` keep instead of sending it. Rows like any other, sealed, so that it outlives a restart;
// bounded in number and bytes, the oldest go. Everything that is kept is durable before its delivery counts as made.
import type { Clock } from '../base/clock.ts'
import { type CapturedFilter, type CapturedMessage, type CapturedRow, capturedContext, capturedKey } from '../model/captured.ts'
import { Table } from '../model/tables.ts'
import type { Patience } from './operation.ts'
import type { Seal } from './seal.ts'
import type { Tables } from './tables.ts'
import type { Commits } from './transaction.ts'

export interface Captured {
  /** Resolves when it is durable. */
  keep(message: Omit<CapturedMessage, 'id' | 'at'>): Promise<void>
  /** The newest that fit, oldest first: at most `max`, and bodies of at most some mebibytes in all. */
  list(filter: CapturedFilter, max: number): Promise<readonly CapturedMessage[]>
  /** Resolves when something is there that passes the filter, after so many milliseconds, or when nobody waits for it any more. */
  wait(filter: CapturedFilter, milliseconds: number, patience?: Patience): Promise<void>
}

export interface CapturedOptions {
  readonly clock: Clock
  readonly seal: Seal
  readonly tables: Tables
  readonly commits: Commits
  readonly messagesMax?: number
  readonly bytesMax?: number
}

const MESSAGES_MAX = 1000
const BYTES_MAX = 32 * 1024 * 1024
const LISTED_BYTES_MAX = 4 * 1024 * 1024
const LOAD_ROWS = 50

/** What is known of a row without opening it again. */
interface Known {
  readonly id: number
  readonly bytes: number
  readonly protocol: string
  readonly to: string
}

export function createCaptured(options: CapturedOptions): Captured {
  const { clock, seal, tables, commits, messagesMax = MESSAGES_MAX, bytesMax = BYTES_MAX } = options
  /** Oldest first. */
  let known: Known[] = []
  let bytes = 0
  let loading: Promise<void> | undefined
  const waiters = new Set<() => void>()

  const open = (row: CapturedRow): CapturedMessage => JSON.parse(seal.open(row.sealed, capturedContext(row))) as CapturedMessage

  async function load(): Promise<void> {
    const found: Known[] = []
    for (let after: string | undefined; ;) {
      const rows = tables.range(Table.captured, { limit: LOAD_ROWS, ...(after !== undefined && { after }) })
      for (const { value } of rows) found.push({ id: value.id, bytes: value.bytes, protocol: value.protocol, to: open(value).to })
      after = rows.at(-1)?.key
      if (after === undefined || rows.length < LOAD_ROWS) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    known = found
    bytes = found.reduce((sum, row) => sum + row.bytes, 0)
  }

  const ready = (): Promise<void> =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    }))

  return {
    async keep(message) {
      await ready()
      const { done, result } = commits.commit((tx) => {
        const id = tx.nextNumber('captured')
        const sealed = seal.seal(JSON.stringify({ id, at: new Date(tx.now).toISOString(), ...message }), capturedContext({ id }))
        const row: CapturedRow = { id, protocol: message.protocol, bytes: sealed.length, sealed }
        let [left, leftBytes] = [known.length, bytes]
        const gone: Known[] = []
        for (const old of known) {
          if (left < messagesMax && leftBytes + row.bytes <= bytesMax) break
          gone.push(old)
          left--
          leftBytes -= old.bytes
          tx.delete(Table.captured, capturedKey(old.id))
        }
        tx.put(Table.captured, capturedKey(id), row)
        return { added: { id, bytes: row.bytes, protocol: message.protocol, to: message.to }, gone: gone.length, leftBytes }
      })
      known = [...known.slice(result.gone), result.added]
      bytes = result.leftBytes + result.added.bytes
      await done
      for (const look of [...waiters]) look()
    },
    async list(filter, max) {
      await ready()
      const found: CapturedMessage[] = []
      let foundBytes = 0
      for (const { id } of known.filter((row) => passes(row, filter)).toReversed()) {
        if (found.length >= max) break
        const row = tables.get(Table.captured, capturedKey(id))
        // It went while we were reading.
        if (row === undefined) continue
        foundBytes += row.bytes
        if (foundBytes > LISTED_BYTES_MAX && found.length > 0) break
        found.push(open(row))
        if (found.length % LOAD_ROWS === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      return found.reverse()
    },
    async wait(filter, milliseconds, patience) {
      await ready()
      const isThere = (): boolean => known.some((row) => passes(row, filter))
      if (isThere() || milliseconds <= 0 || patience?.isOver === true) return
      await new Promise<void>((resolve) => {
        const end = (): void => {
          timer.cancel()
          stopListening?.()
          waiters.delete(look)
          resolve()
        }
        const look = (): void => {
          if (isThere()) end()
        }
        const timer = clock.after(milliseconds, end)
        const stopListening = patience?.onceOver(end)
        waiters.add(look)
      })
    },
  }
}

function passes(row: Known, { to, protocol, after }: CapturedFilter): boolean {
  return (
    (to === undefined || row.to.toLowerCase() === to.toLowerCase()) &&
    (protocol === undefined || row.protocol === protocol) &&
    (after === undefined || row.id > after)
  )
}

// What may happen to queues, as fast-check draws it. Numbers pick among what there is at the time, so that every command can be run
// wherever a shrunk history puts it.
import fc from 'fast-check'

export const QUEUES = ['orders', 'copies', 'dead', 'line.fifo', 'lanes.fifo', 'dead.fifo'] as const
export type QueueName = (typeof QUEUES)[number]

/** Where a queue's dead letters go, if it has a redrive policy. */
export const DEAD_LETTERS: Readonly<Record<QueueName, QueueName | undefined>> = {
  orders: 'dead',
  copies: 'dead',
  dead: undefined,
  'line.fifo': 'dead.fifo',
  'lanes.fifo': 'dead.fifo',
  'dead.fifo': undefined,
}

export interface Settings {
  readonly visibility: number
  readonly delay: number
  readonly retention: number
  readonly receivesMax: number | undefined
}

export type Command =
  | { readonly kind: 'create'; readonly queue: number; readonly settings: Settings }
  | { readonly kind: 'set'; readonly queue: number; readonly settings: Settings; readonly what: keyof Settings }
  | { readonly kind: 'deleteQueue'; readonly queue: number }
  | { readonly kind: 'purge'; readonly queue: number }
  | {
      readonly kind: 'send'
      readonly queue: number
      readonly count: number
      readonly delay: number | undefined
      readonly group: number
      /** Of the few ids that come again; undefined: one of its own. */
      readonly deduplication: number | undefined
    }
  | {
      readonly kind: 'receive'
      readonly queue: number
      readonly max: number
      readonly visibility: number | undefined
      /** Of FIFO queues: a receive request attempt id. */
      readonly attempt: number | undefined
    }
  | { readonly kind: 'move'; readonly queue: number; readonly isDirected: boolean; readonly isInterrupted: boolean }
  | { readonly kind: 'poll'; readonly queue: number; readonly max: number; readonly wait: number; readonly isSent: boolean }
  | { readonly kind: 'receiveAtOnce'; readonly queue: number; readonly max: number; readonly times: number }
  | { readonly kind: 'delete'; readonly queue: number; readonly pick: number; readonly count: number }
  | { readonly kind: 'change'; readonly queue: number; readonly pick: number; readonly count: number; readonly visibility: number }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'restart'; readonly isKilled: boolean }

/** One of those the history is about. */
const queue = fc.nat(11)
const visibility = fc.constantFrom(0, 1, 5, 30)
const max = fc.constantFrom(1, 2, 3, 10, 10)
const pick = fc.nat(1000)
export const settings: fc.Arbitrary<Settings> = fc.record({
  visibility: fc.constantFrom(0, 1, 5, 30, 30),
  delay: fc.constantFrom(0, 0, 0, 0, 3),
  retention: fc.constantFrom(345_600, 345_600, 345_600, 3600, 60),
  receivesMax: fc.constantFrom(undefined, undefined, 1, 2, 3),
})

type Drawn<K extends Command['kind']> = Extract<Command, { kind: K }>
function of<K extends Command['kind']>(
  kind: K,
  fields: { readonly [N in Exclude<keyof Drawn<K>, 'kind'>]: fc.Arbitrary<Drawn<K>[N]> },
): fc.Arbitrary<Command> {
  return fc.record({ kind: fc.constant(kind), ...fields }) as unknown as fc.Arbitrary<Command>
}

export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: of('send', {
      queue,
      count: fc.constantFrom(1, 1, 1, 2, 3, 10),
      delay: fc.constantFrom(undefined, undefined, undefined, 0, 2, 10),
      group: fc.nat(2),
      deduplication: fc.option(fc.nat(2), { nil: undefined, freq: 2 }),
    }),
  },
  {
    weight: 14,
    arbitrary: of('receive', {
      queue,
      max,
      visibility: fc.option(visibility, { nil: undefined }),
      attempt: fc.option(fc.nat(1), { nil: undefined, freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: of('poll', { queue, max, wait: fc.constantFrom(1, 5, 20), isSent: fc.boolean() }) },
  { weight: 2, arbitrary: of('receiveAtOnce', { queue, max, times: fc.constantFrom(2, 3) }) },
  { weight: 8, arbitrary: of('delete', { queue, pick, count: fc.constantFrom(1, 1, 2, 5, 10) }) },
  { weight: 5, arbitrary: of('change', { queue, pick, count: fc.constantFrom(1, 1, 2, 10), visibility: fc.constantFrom(0, 0, 1, 5, 60) }) },
  { weight: 8, arbitrary: of('pass', { seconds: fc.constantFrom(0.5, 1, 1, 2, 5, 10, 30, 31, 61, 240, 3600) }) },
  { weight: 2, arbitrary: of('set', { queue, settings, what: fc.constantFrom('visibility', 'delay', 'retention', 'receivesMax') }) },
  { weight: 1, arbitrary: of('purge', { queue }) },
  { weight: 1, arbitrary: of('deleteQueue', { queue }) },
  { weight: 1, arbitrary: of('create', { queue, settings }) },
  { weight: 3, arbitrary: of('move', { queue, isDirected: fc.boolean(), isInterrupted: fc.boolean() }) },
  { weight: 2, arbitrary: of('checkpoint', {}) },
  { weight: 3, arbitrary: of('restart', { isKilled: fc.boolean() }) },
)

/** Which queues a history is about: few, so that much happens to each. */
const cast: fc.Arbitrary<readonly QueueName[]> = fc.constantFrom<(readonly QueueName[])[]>(
  ['orders'],
  ['orders', 'dead'],
  ['orders', 'dead'],
  ['orders', 'copies', 'dead'],
  ['line.fifo'],
  ['line.fifo', 'dead.fifo'],
  ['line.fifo', 'lanes.fifo', 'dead.fifo'],
  ['orders', 'line.fifo'],
)

export interface Story {
  readonly cast: readonly QueueName[]
  /** With what settings the queues begin. */
  readonly settings: readonly Settings[]
  readonly commands: readonly Command[]
}

export const story: fc.Arbitrary<Story> = fc.record({
  cast,
  settings: fc.array(settings, { minLength: 3, maxLength: 3 }),
  commands: fc.array(command, { minLength: 1, maxLength: 50, size: 'max' }),
})

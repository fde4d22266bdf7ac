// How queues come, change and go: what is asked of the server, what it may answer, and what the reference then knows.
import assert from 'node:assert/strict'
import { ServiceError } from '../../src/model/service-error.ts'
import { redriveText, SECOND, settingChange } from './calls.ts'
import { DEAD_LETTERS, type QueueName, type Settings } from './commands.ts'
import type { ModelQueue, Reference } from './reference.ts'
import type { QueueWorld } from './world.ts'

/** After a delete a name stays taken for so long, and as long lasts a purge (SQS API Reference, DeleteQueue and PurgeQueue). */
const AFTERMATH_MS = 60 * SECOND

export async function createQueue(
  world: QueueWorld,
  reference: Reference,
  name: QueueName,
  { visibility, delay, retention, receivesMax }: Settings,
): Promise<void> {
  const isFifo = name.endsWith('.fifo')
  const target = DEAD_LETTERS[name]
  const redrive = target !== undefined && receivesMax !== undefined && reference.queues.has(target) ? { target, receivesMax } : undefined
  const isNew = !reference.queues.has(name)
  const Attributes = {
    VisibilityTimeout: String(visibility),
    DelaySeconds: String(delay),
    MessageRetentionPeriod: String(retention),
    ...(redrive !== undefined && { RedrivePolicy: redriveText(redrive) }),
    ...(isFifo && { FifoQueue: 'true' }),
    ...(name === 'lanes.fifo' && {
      ContentBasedDeduplication: 'true',
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    }),
  }
  const made = await world.tryCall<{ QueueUrl: string }>('CreateQueue', {
    QueueName: name,
    Attributes: isNew ? Attributes : isFifo ? { FifoQueue: 'true' } : {},
  })
  const now = world.now()
  if (made instanceof ServiceError) {
    assert.match(made.code, /QueueDeletedRecently$/, `${name} is not made: ${made.message}`)
    assert.ok(now - (reference.deletedAt.get(name) ?? -Infinity) <= AFTERMATH_MS, `${name} was not deleted recently`)
    return
  }
  if (!isNew) return
  reference.queues.set(name, {
    name,
    url: made.QueueUrl,
    isFifo,
    createdAt: now,
    isContentBased: name === 'lanes.fifo',
    isScopedToGroup: name === 'lanes.fifo',
    settings: { visibilityMs: visibility * SECOND, delayMs: delay * SECOND, retentionMs: retention * SECOND, redrive },
    sent: new Map(),
    purgedAt: -Infinity,
    isGone: false,
    lastSequence: 0n,
  })
}

export async function assertAbsent(world: QueueWorld, name: QueueName): Promise<void> {
  const QueueUrl = `http://sealcast.test:4566/000000000001/${name}`
  const refused = await world.tryCall('ReceiveMessage', { QueueUrl })
  assert.ok(refused instanceof ServiceError, `${name} does not exist, and yet answers`)
  assert.match(refused.code, /NonExistentQueue$/)
}

export async function setQueue(
  world: QueueWorld,
  reference: Reference,
  queue: ModelQueue,
  given: Settings,
  what: keyof Settings,
): Promise<void> {
  const target = DEAD_LETTERS[queue.name as QueueName]
  const { attributes, apply } = settingChange(queue, given, what, target)
  reference.expire(queue, world.now())
  const set = await world.tryCall('SetQueueAttributes', { QueueUrl: queue.url, Attributes: attributes })
  if (!(set instanceof ServiceError)) return apply(queue.settings)
  const isTargetGone = target !== undefined && !reference.queues.has(target)
  assert.ok(
    what === 'receivesMax' && given.receivesMax !== undefined && isTargetGone,
    `${what} of ${queue.name} is refused: ${set.message}`,
  )
}

export async function deleteQueue(world: QueueWorld, reference: Reference, queue: ModelQueue): Promise<void> {
  await world.call('DeleteQueue', { QueueUrl: queue.url })
  reference.emptied(queue)
  queue.isGone = true
  reference.queues.delete(queue.name)
  reference.deletedAt.set(queue.name, world.now())
}

export async function purge(world: QueueWorld, reference: Reference, queue: ModelQueue): Promise<void> {
  const purged = await world.tryCall('PurgeQueue', { QueueUrl: queue.url })
  const now = world.now()
  if (purged instanceof ServiceError) {
    assert.match(purged.code, /PurgeQueueInProgress$/)
    assert.ok(now - queue.purgedAt <= AFTERMATH_MS, `${queue.name} was not purged in the last minute`)
    return
  }
  queue.purgedAt = now
  reference.emptied(queue)
}

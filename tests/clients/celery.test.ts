// needs: celery
// Celery with kombu's SQS transport, unchanged: queues that it makes and queues that it is told of, a worker that is killed in the middle
// of its work, tasks for later, tasks that fail and come again.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from '../file-server.ts'
import { clientConfig, ROOT_KEY, SERVER_REGION } from '../server.ts'
import { until, untilTrue } from '../until.ts'
import { outputOf } from './shell.ts'

const TASKS = 1000
/** The worker is killed when it has begun this one, and after so many others. */
const HELD = 300
const KILLED_AFTER = 330
const LATER = 20
const VISIBILITY_SECONDS = 5
const PATIENCE_MS = 90_000

const { server, folder } = await startFileServer()
const sqs = new SQS(clientConfig(server.url))
const workers: Worker[] = []
after(async () => {
  for (const worker of workers) await worker.kill()
})

interface Worker {
  /** SIGKILL, with all the processes it started. */
  kill(): Promise<void>
}

interface Place {
  readonly results: string
  readonly options: object
}

function environment({ results, options }: Place): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey } = ROOT_KEY
  return {
    BROKER_URL: `sqs://${accessKeyId}:${secretAccessKey}@127.0.0.1:${server.port}//`,
    TRANSPORT_OPTIONS: JSON.stringify({ region: SERVER_REGION, is_secure: false, wait_time_seconds: 2, polling_interval: 0.1, ...options }),
    RESULTS: results,
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

async function send(place: Place, count: number, task: string, queue: string, ...more: string[]): Promise<void> {
  await outputOf('python3', ['celery_app.py', String(count), task, queue, ...more], {
    folder: import.meta.dirname,
    environment: environment(place),
  })
}

function startWorker(place: Place, queue: string, more: Readonly<Record<string, string>> = {}): Worker {
  const words = [
    '-m',
    'celery',
    '-A',
    'celery_app',
    'worker',
    '--concurrency',
    '2',
    '--queues',
    queue,
    '-O',
    'fair',
    '--loglevel',
    'WARNING',
  ]
  const child: ChildProcess = spawn('python3', [...words, '--without-gossip', '--without-mingle', '--without-heartbeat'], {
    cwd: import.meta.dirname,
    detached: true,
    stdio: ['ignore', 'ignore', process.env['SEALCAST_SHOW_WORKER'] === undefined ? 'ignore' : 'inherit'],
    env: { ...process.env, ...environment(place), ...more },
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const worker: Worker = {
    async kill() {
      const { pid } = child
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      process.kill(-pid, 'SIGKILL')
      await exited
    },
  }
  workers.push(worker)
  return worker
}

/** Runs of each task by its number: when they took place, in ms since 1970. */
function runsOf({ results }: Place, task: string): ReadonlyMap<number, readonly number[]> {
  const runs = new Map<number, number[]>()
  if (!existsSync(results)) return runs
  for (const line of readFileSync(results, 'utf8').split('\n')) {
    const [name, number, seconds] = line.split(' ')
    if (name === task) runs.set(Number(number), [...(runs.get(Number(number)) ?? []), Number(seconds) * 1000])
  }
  return runs
}

test(`Celery runs ${TASKS} tasks with a worker killed in the middle, and loses none`, async () => {
  const place = { results: join(folder, 'killed'), options: { visibility_timeout: VISIBILITY_SECONDS } }
  await send(place, TASKS, 'work', 'tasks')
  const worker = startWorker(place, 'tasks', { HELD: String(HELD) })
  const isMidway = () => runsOf(place, 'work').size >= KILLED_AFTER && runsOf(place, 'held').size > 0
  await untilTrue(`${KILLED_AFTER} tasks`, isMidway, PATIENCE_MS)
  await worker.kill()
  const done = runsOf(place, 'work').size
  assert.ok(done < TASKS && !runsOf(place, 'work').has(HELD), `${done} tasks had run when the worker was killed`)
  const QueueUrl = (await sqs.getQueueUrl({ QueueName: 'tasks' })).QueueUrl ?? ''
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })
  assert.equal(Attributes?.['VisibilityTimeout'], String(VISIBILITY_SECONDS), 'the queue is as Celery made it')

  const second = startWorker(place, 'tasks')
  const left = () => Array.from({ length: TASKS }, (_, number) => number).filter((number) => !runsOf(place, 'work').has(number))
  await untilTrue('every task', () => left().length === 0, PATIENCE_MS)
  await untilTrue('an empty queue', async () => {
    const counted = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })
    const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: inFlight } = counted.Attributes ?? {}
    return visible === '0' && inFlight === '0'
  })
  await second.kill()
})

test('Celery: queues that it is told of, a FIFO queue, tasks for later, tasks that fail and come again', async () => {
  const { QueueUrl: url } = await sqs.createQueue({ QueueName: 'known-in-advance', Attributes: { VisibilityTimeout: '20' } })
  const { QueueUrl: line } = await sqs.createQueue({ QueueName: 'line.fifo', Attributes: { FifoQueue: 'true' } })
  const { accessKeyId: access_key_id, secretAccessKey: secret_access_key } = ROOT_KEY
  const key = { access_key_id, secret_access_key }
  const predefined_queues = {
    known: { url, ...key, backoff_policy: { 1: 1, 2: 1 }, backoff_tasks: ['celery_app.failing'] },
    'line.fifo': { url: line, ...key },
  }
  const place = { results: join(folder, 'known'), options: { predefined_queues } }
  const sentAt = Date.now()
  await send(place, LATER, 'work', 'known', '2')
  await send(place, 2, 'failing', 'known')
  const worker = startWorker(place, 'known,line.fifo')
  const works = await until('every task for later', () => {
    const runs = runsOf(place, 'work')
    return runs.size === LATER ? runs : undefined
  })
  for (const [number, [ranAt = 0]] of works) assert.ok(ranAt >= sentAt + 2000, `task ${number} ran ${ranAt - sentAt} ms after it was sent`)
  await until('three runs of each failing task', () => {
    const runs = [...runsOf(place, 'failing').values()]
    return runs.length === 2 && runs.every(({ length }) => length === 3) ? true : undefined
  })
  await send(place, 20, 'aligned', 'line.fifo')
  const aligned = await until('every task of the FIFO queue', () => {
    const runs = runsOf(place, 'aligned')
    return runs.size === 20 ? runs : undefined
  })
  assert.ok(
    [...aligned.values()].every(({ length }) => length === 1),
    'each once',
  )
  await worker.kill()
})

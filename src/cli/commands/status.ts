// sealcast status: how the server is, and what lies where.
import type { Sealing, Status } from '../../model/status.ts'
import { type Command, DATA_OPTION, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'
import { formatBytes } from '../format/bytes.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const status: Command<typeof options> = {
  summary: 'show the health of the server, the lag of its followers and the bytes of its stores',
  options,
  async run(given, _operands, terminal) {
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const status = await callOnce<Status>(connection, 'GetStatus', {})
      await terminal.write(given.json ? `${JSON.stringify(status)}\n` : describe(status))
      return status.status === 'ready' ? 0 : 1
    } finally {
      await connection.close()
    }
  },
}

function describe({
  status,
  why,
  version,
  startedAt,
  followers,
  bucketEvents,
  parkedEndpoints,
  bytes,
  sealing,
  freeBytes,
  daysLeft,
}: Status): string {
  const rows = [
    ['status', why === undefined ? status : `${status}: ${why}`],
    ['version', version],
    ['up since', new Date(startedAt).toISOString()],
    ...followers.map(({ name, lagBytes, failing }) => [
      `follower ${name}`,
      failing ?? (lagBytes === 0 ? 'up to date' : `${formatBytes(lagBytes)} behind`),
    ]),
    ...bucketEvents.map(({ destinationArn, waiting, failing }) => [
      `events for ${destinationArn}`,
      failing === undefined ? `${waiting} wait` : `${waiting} wait: ${failing}`,
    ]),
    ...parkedEndpoints.map(({ subscriptionArn, since, reason }) => [
      `deliveries to ${subscriptionArn}`,
      `parked since ${new Date(since).toISOString()}: ${reason}`,
    ]),
    ...Object.entries(bytes).map(([name, size]) => [name, [formatBytes(size), ...describeStore(sealing?.stores[name])].join(', ')]),
    ...describeBackup(sealing),
    ...describeRoot(sealing),
    ['disk free', freeBytes === undefined ? 'not used: everything is in memory' : formatBytes(freeBytes)],
    ['days left', daysLeft === undefined ? 'too early to say' : daysLeft > 3650 ? 'more than ten years' : String(Math.floor(daysLeft))],
  ]
  const width = Math.max(...rows.map(([name]) => (name ?? '').length))
  return rows.map(([name, value]) => `${(name ?? '').padEnd(width)}  ${value}\n`).join('')
}

/** Backups lie in folders of their own, so that no bytes are told. */
function describeBackup(sealing: Sealing | undefined): readonly (readonly string[])[] {
  return describeStore(sealing?.stores['backup']).map((text) => ['backup', text])
}

function describeStore(store: Sealing['stores'][string] | undefined): readonly string[] {
  if (store === undefined) return []
  const what = { whole: 'sealed', secrets: 'secrets sealed', nothing: 'not sealed' }[store.sealed]
  return [store.since === undefined ? what : `${what}: ${store.key ?? ''}, of ${dayOf(store.since)}`]
}

function describeRoot(sealing: Sealing | undefined): readonly (readonly string[])[] {
  if (sealing === undefined) return []
  const { rootKey, former } = sealing
  return [
    ['root key', `${rootKey.id} (${rootKey.source}), of ${dayOf(rootKey.since)}`],
    ...former.map(({ id, since }) => ['former root key', `${id}, given up ${dayOf(since)}, needed until all it sealed is sealed anew`]),
  ]
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

// sealcast status: how the server is, and what lies where.
import type { Status } from '../../model/status.ts'
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

function describe({ status, why, version, startedAt, followers, bucketEvents, bytes, freeBytes, daysLeft }: Status): string {
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
    ...Object.entries(bytes).map(([name, size]) => [name, formatBytes(size)]),
    ['disk free', freeBytes === undefined ? 'not used: everything is in memory' : formatBytes(freeBytes)],
    ['days left', daysLeft === undefined ? 'too early to say' : daysLeft > 3650 ? 'more than ten years' : String(Math.floor(daysLeft))],
  ]
  const width = Math.max(...rows.map(([name]) => (name ?? '').length))
  return rows.map(([name, value]) => `${(name ?? '').padEnd(width)}  ${value}\n`).join('')
}

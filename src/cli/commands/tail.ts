// sealcast tail: events as they happen, a line each.
import { type Command, DATA_OPTION, dataFolderOf } from '../command.ts'
import { type ShownEvent, describeEvent } from '../format/event-line.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print the CloudTrail records as JSON lines' },
} as const

export const tail: Command<typeof options> = {
  summary: 'show events as they are recorded',
  help: 'Runs until it is interrupted. Columns: time, who, what, on what, outcome, from where.',
  options,
  async run(given, _operands, terminal) {
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    const lines = connection.lines('Tail', {})[Symbol.asyncIterator]()
    terminal.interrupted.addEventListener('abort', () => void lines.return?.())
    if (!given.json) terminal.note('watching; interrupt to end\n')
    try {
      for (;;) {
        const next = await Promise.race([lines.next(), whenAborted(terminal.interrupted)])
        if (next === undefined || next.done === true) return 0
        const event = next.value as ShownEvent
        if (event.lostBefore > 0) terminal.note(`${event.lostBefore} events came faster than they could be shown and were left out\n`)
        await terminal.write(given.json ? `${JSON.stringify(event.record)}\n` : describeEvent(event, terminal))
      }
    } finally {
      await connection.close()
    }
  },
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}

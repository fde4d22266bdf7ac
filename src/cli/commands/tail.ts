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
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => (closed ??= connection.close())
    terminal.interrupted.addEventListener('abort', () => void close())
    if (!given.json) terminal.note('watching; interrupt to end\n')
    try {
      for await (const line of connection.lines('Tail', {})) {
        const event = line as ShownEvent
        if (event.lostBefore > 0) terminal.note(`${event.lostBefore} events came faster than they could be shown and were left out\n`)
        await terminal.write(given.json ? `${JSON.stringify(event.record)}\n` : describeEvent(event, terminal))
      }
      return 0
    } catch (error) {
      if (terminal.interrupted.aborted) return 0
      throw error
    } finally {
      await close()
    }
  },
}

// sealcast clock: tells the time of a development server, and moves it ahead, so that tests wait for nothing.
import { askUrl } from '../ask-url.ts'
import { type Command, CommandError, UsageError } from '../command.ts'
import { millisecondsOf } from '../duration.ts'

const options = {
  url: { kind: 'text', value: 'URL', help: 'the server, started with --dev' },
  forward: { kind: 'text', value: 'TIME', help: 'move it ahead by so much: 90s, 15m, 6h, 3d' },
  to: { kind: 'text', value: 'TIME', help: 'move it ahead to this time: 2027-01-01T00:00:00Z' },
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const clock: Command<typeof options> = {
  summary: 'tell or move ahead the time of a development server',
  help: [
    'Retries, visibility, delays, deduplication and retention go by it, step by step on the way. Signatures and time limits of connections',
    'go by the time of the machine. It never goes back.',
    '',
    'example:',
    '  sealcast clock --url http://127.0.0.1:4566 --forward 6h',
  ].join('\n'),
  options,
  async run({ url, forward, to, json }, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`clock takes no operands, but got ${operands.join(' ')}`)
    if (url === undefined) throw new UsageError('give the server: --url http://127.0.0.1:4566')
    if (forward !== undefined && to !== undefined) throw new UsageError('give --forward or --to, not both')
    const milliseconds = forward === undefined ? undefined : millisecondsOf(forward)
    if (forward !== undefined && milliseconds === undefined)
      throw new UsageError(`--forward takes a time such as 90s, 15m, 6h or 3d, not ${forward}`)
    const move = milliseconds !== undefined ? { seconds: milliseconds / 1000 } : to !== undefined ? { to } : undefined
    const told = await ask(url, move)
    await terminal.write(json ? `${JSON.stringify(told)}\n` : `${told.now}, ${describe(told.aheadSeconds)} ahead\n`)
    return 0
  },
}

interface Told {
  readonly now: string
  readonly aheadSeconds: number
}

async function ask(url: string, body: object | undefined): Promise<Told> {
  const { now, aheadSeconds } = (await askUrl(url, '/_sealcast/clock', {
    what: 'clock',
    ...(body !== undefined && { body }),
  })) as Partial<Told>
  if (now === undefined || aheadSeconds === undefined) throw new CommandError(`no clock at ${url}`)
  return { now, aheadSeconds }
}

function describe(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return shown.length === 0 ? 'not' : shown.join(' ')
}

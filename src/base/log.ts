// The server's own log: what a person running it should know. One line each, for people or as JSON lines.
// Error = data lost or a human must act; warn = recovered by itself; info = a state changed.
// A log line MUST NOT hold secrets or personal content; who calls it answers for that.

export type Level = 'info' | 'warn' | 'error'
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>
export type Log = Readonly<Record<Level, (message: string, fields?: Fields) => void>>

export interface LogOptions {
  readonly format: 'text' | 'json'
  readonly now: () => number
  readonly write: (line: string) => void
}

export function createLog(options: LogOptions): Log {
  const line =
    (level: Level) =>
    (message: string, fields: Fields = {}) =>
      options.write(format(options, level, message, fields))
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }

function format({ format, now }: LogOptions, level: Level, message: string, fields: Fields): string {
  const time = new Date(now()).toISOString()
  if (format === 'json') return JSON.stringify({ time, level, message, ...fields }) + '\n'
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' && /[\s"=]/.test(value) ? JSON.stringify(value) : value}`)
    .join('')
  return `${time} ${level === 'info' ? '' : level.toUpperCase() + ' '}${message}${details}\n`
}

// The names of log files, in any of the forms that CloudTrail has given them.

export interface LogName {
  readonly account: string
  readonly region: string
  /** The minute of delivery that the name bears, in ms since 1970. */
  readonly minute: number
}

const KIND = 'CloudTrail(?:-Insight|-NetworkActivity|-Aggregated)?'
const LOG_KEY = new RegExp(
  `^(?:.+/)?AWSLogs/(?:o-[a-z0-9]+/)?(\\d{12})/${KIND}/([a-z0-9-]+)/(\\d{4})/(\\d\\d)/(\\d\\d)/` +
    `\\1_${KIND}_\\2_(\\d{8})T(\\d\\d)(\\d\\d)Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
)

/** Undefined for names that are no log file's. The day of the folder and that of the name may differ: then `minute` is the name's. */
export function parseLogName(name: string): LogName | undefined {
  const match = LOG_KEY.exec(name)
  if (match === null) return undefined
  const [, account = '', region = '', , , , day = '', hour, minute] = match
  const at = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${hour}:${minute}:00Z`)
  return Number.isNaN(at) ? undefined : { account, region, minute: at }
}

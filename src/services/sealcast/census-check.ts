// Calls = events + listed exceptions, looked at between each two censuses: what the server counted as it served, against the events that
// the lake holds.
import type { Lake } from '../../storage/lake.ts'

export interface CensusCheck {
  /** Spans between two censuses. */
  readonly spans: number
  /** Events of calls found in them. */
  readonly events: number
  /** Spans in which another number of events was found than the counts ask for. Times in ms since 1970. */
  readonly mismatches: readonly { readonly from: number; readonly to: number; readonly told: number; readonly found: number }[]
}

const COUNTS = `WITH marks AS (
    SELECT position, epoch_ms(committed_at) AS at, eventname, serviceeventdetails FROM events
    WHERE event_class = 'own' AND eventtype = 'SealcastServerEvent'
      AND eventname IN ('Census', 'ServerCrashed', 'CommandCrashed', 'ReadOnlyEntered', 'Restored')),
  calls AS (SELECT position FROM events WHERE event_class = 'aws' OR (event_class = 'own' AND eventtype <> 'SealcastServerEvent')),
  found AS (SELECT marks.position, count(*) AS events FROM calls ASOF JOIN marks ON calls.position < marks.position GROUP BY 1)
  SELECT marks.at, marks.eventname, marks.serviceeventdetails, coalesce(found.events, 0)
  FROM marks LEFT JOIN found ON found.position = marks.position ORDER BY marks.position`

interface Details {
  readonly events?: number
  readonly total?: { readonly events: number }
  readonly eventsSinceCensus?: { readonly aws: number; readonly own: number }
}

/** Censuses told between `from` and `to`. The first that the lake holds is a beginning, unless it is the first there ever was. */
export async function checkCensus(lake: Lake, from: number, to: number): Promise<CensusCheck> {
  const mismatches: { from: number; to: number; told: number; found: number }[] = []
  let [spans, events, found, leftByCrashes] = [0, 0, 0, 0]
  let before: number | undefined
  const result = await lake.query(COUNTS)
  for await (const batch of result.batches)
    for (const row of batch) {
      const [at, name, json, count] = [Number(row[0]), row[1], String(row[2]), Number(row[3])]
      const details = JSON.parse(json) as Details
      found += count
      if (name !== 'Census') {
        leftByCrashes += (details.eventsSinceCensus?.aws ?? 0) + (details.eventsSinceCensus?.own ?? 0)
        continue
      }
      const told = (details.events ?? 0) + leftByCrashes
      const isFirstEver = details.total?.events === details.events
      if ((before !== undefined || isFirstEver) && at >= from && at <= to) {
        spans++
        events += found
        if (told !== found) mismatches.push({ from: before ?? 0, to: at, told, found })
      }
      before = at
      found = leftByCrashes = 0
    }
  return { spans, events, mismatches }
}

// Real CloudTrail records that lie beside the repository, and what they say of the form of a record: which keys, in which order.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export type EventRecord = Readonly<Record<string, unknown>>

const SAMPLES = join(import.meta.dirname, '..', '..', 'shared', 'data', 'cloudtrail-samples')
/** Files as CloudTrail wrote them; the other sets were sorted or taken apart on their way. */
const ORIGINALS = 'invictus-aws_dataset'

export const hasSamples = existsSync(SAMPLES)

export interface Sample {
  readonly record: EventRecord
  /** The keys stand in CloudTrail's own order. */
  readonly isOriginal: boolean
}

export function readSamples(): readonly Sample[] {
  return globSync(['**/*.json', '**/*.json.gz'], { cwd: SAMPLES }).flatMap((path) => {
    const bytes = readFileSync(join(SAMPLES, path))
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
    return recordsIn(text).map((record) => ({ record, isOriginal: path.startsWith(ORIGINALS) }))
  })
}

/** A file of `Records`, an array, or a record on each line. */
function recordsIn(text: string): readonly EventRecord[] {
  const parse = (json: string): unknown => {
    try {
      return JSON.parse(json)
    } catch {
      return undefined
    }
  }
  const whole = parse(text)
  const found = whole === undefined ? text.split('\n').map(parse) : Array.isArray(whole) ? whole : [whole]
  return found.flatMap((value) => {
    const records = (value as { Records?: readonly EventRecord[] } | undefined)?.Records
    return (records ?? (value === undefined ? [] : [value as EventRecord])).map(withoutCollector)
  })
}

/** One set went through a log collector, which added keys of its own. */
function withoutCollector(record: EventRecord): EventRecord {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !key.startsWith('@')))
}

export function kindOf(record: EventRecord): string {
  return `${String(record['eventSource'])} ${String(record['eventName'])}`
}

/** Every object in the record by its path (`requestParameters.tagsList[]`), with its keys in order. */
export function formsIn(record: EventRecord): ReadonlyMap<string, readonly string[]> {
  const forms = new Map<string, readonly string[]>()
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, `${path}[]`)
    else if (typeof value === 'object' && value !== null) {
      forms.set(path, Object.keys(value))
      for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`)
    }
  }
  walk(record, '')
  return forms
}

// Configuration as data: each plug declares its settings beside itself, by dotted key; one reader checks them all and lists every problem
// at once.
import { nearest } from '../base/nearest.ts'

export interface Setting<T> {
  readonly default: T
  readonly help: string
  /** The value of a JSON document or of a command line's text, or what is wrong with it and what would be right. */
  readonly read: (given: unknown) => { readonly value: T } | { readonly problem: string }
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type Values<S extends Settings> = { readonly [Key in keyof S]: S[Key] extends Setting<infer T> ? T : never }

export function wholeNumber(options: { default: number; min: number; max: number; help: string }): Setting<number> {
  const { min, max } = options
  return {
    ...options,
    read(given) {
      const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return { value }
      return { problem: `must be a whole number from ${min} to ${max}` }
    },
  }
}

export function text<T extends string | undefined>(options: {
  default: T
  help: string
  pattern?: RegExp
  form?: string
}): Setting<string | T> {
  const { pattern, form } = options
  return {
    ...options,
    read: (given) =>
      typeof given === 'string' && (pattern?.test(given) ?? true) ? { value: given } : { problem: `must be ${form ?? 'a text'}` },
  }
}

export function choice<T extends string>(options: { default: T; of: readonly T[]; help: string }): Setting<T> {
  return {
    ...options,
    read(given) {
      const value = options.of.find((known) => known === given)
      return value === undefined ? { problem: `must be one of ${options.of.join(', ')}` } : { value }
    },
  }
}

export function flag(options: { default: boolean; help: string }): Setting<boolean> {
  return {
    ...options,
    read(given) {
      if (given === true || given === 'true') return { value: true }
      if (given === false || given === 'false') return { value: false }
      return { problem: 'must be true or false' }
    },
  }
}

/** A JSON list of texts; on a command line separated by commas. */
export function texts(options: {
  default: readonly string[]
  help: string
  check?: (item: string) => string | undefined
}): Setting<readonly string[]> {
  return {
    ...options,
    read(given) {
      const items: unknown = typeof given === 'string' ? given.split(',').filter((item) => item !== '') : given
      if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) return { problem: 'must be a list of texts' }
      for (const item of items) {
        const problem = options.check?.(item)
        if (problem !== undefined) return { problem: `has ${JSON.stringify(item)}: ${problem}` }
      }
      return { value: items }
    },
  }
}

/** Where a value was given, for the complaint about it: `--set trail.x`, `sealcast.json`. */
export interface Given {
  readonly key: string
  readonly value: unknown
  readonly from: string
}

/** Every setting's value, later ones in `given` winning over earlier; or all problems. */
export function readSettings<S extends Settings>(
  settings: S,
  given: readonly Given[],
): { readonly values: Values<S> } | { readonly problems: string[] } {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, setting.default]))
  const problems: string[] = []
  for (const { key, value, from } of given) {
    const setting = Object.hasOwn(settings, key) ? settings[key] : undefined
    if (setting === undefined) {
      const close = nearest(key, Object.keys(settings))
      problems.push(`${from}: there is no setting ${key}${close === undefined ? '' : `; did you mean ${close}?`}`)
      continue
    }
    const read = setting.read(value)
    if ('problem' in read) problems.push(`${from}: ${key} ${read.problem}, not ${JSON.stringify(value)}`)
    else values[key] = read.value
  }
  return problems.length > 0 ? { problems } : { values: values as Values<S> }
}

/** The leaves of a JSON document as dotted keys. Lists are leaves. */
export function flattenDocument(document: unknown, from: string): Given[] {
  if (!isObject(document)) return [{ key: '', value: document, from }]
  return Object.entries(document).flatMap(([name, value]) =>
    isObject(value)
      ? flattenDocument(value, from).map((given) => ({ ...given, key: `${name}.${given.key}` }))
      : [{ key: name, value, from }],
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Times as people write them: 500ms, 5s, 15m, 6h, 3d; a bare number is seconds.
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000, '': 1000 }

/** In milliseconds; undefined of anything else. */
export function millisecondsOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? 1000)
}

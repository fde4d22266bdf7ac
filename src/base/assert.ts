// Assertions for ourselves: a broken one is a bug in Sealcast, never a caller's mistake.

export class AssertionError extends Error {
  override name = 'AssertionError'
}

export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${what}`)
}

export function unreachable(value: never, what: string): never {
  throw new AssertionError(`assertion failed: unexpected ${what}: ${String(value)}`)
}

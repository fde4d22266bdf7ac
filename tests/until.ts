// Waiting for a condition instead of for a time: tests from outside cannot know how long a process takes.

const PAUSE_MS = 40
const PATIENCE_MS = 30_000

/** The first value of `find` that is not undefined. Fails with `what` when none comes in time. */
export async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined, patienceMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`not in ${patienceMs} ms: ${what}`)
    await pause(PAUSE_MS)
  }
}

/** True once `holds` does. */
export function untilTrue(what: string, holds: () => Promise<boolean> | boolean, patienceMs = PATIENCE_MS): Promise<true> {
  return until(what, async () => ((await holds()) ? true : undefined), patienceMs)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

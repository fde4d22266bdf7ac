// A walk over a bucket's versions that are not its current objects, in the order of their table: which of them is the newest of its key,
// and since when the others have not been current.
import type { ObjectVersion, StoredObject } from './bucket.ts'
import type { Noncurrent } from './lifecycle.ts'

/**
 * The returned function is handed one version after the other and tells what the rules look at; undefined for the newest of a key without
 * current object: the delete marker that hides what is older.
 */
export function createVersionWalk(
  currentOf: (key: string) => StoredObject | undefined,
): (version: ObjectVersion) => Noncurrent | undefined {
  let [key, since, newer]: [string | undefined, number, number] = [undefined, 0, 0]
  return (version) => {
    if (version.key !== key) {
      const current = currentOf(version.key)
      ;[key, since, newer] = [version.key, (current ?? version).modifiedAt, 0]
      if (current === undefined) return undefined
    }
    const noncurrent = { since, newer }
    ;[since, newer] = [version.modifiedAt, newer + 1]
    return noncurrent
  }
}

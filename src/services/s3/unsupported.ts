// Refuses what a caller asks for and we do not do, so that nothing is taken in and then ignored.
import { errors } from './errors.ts'

/** Throws NotImplemented for the first member that is given and not in `supported`. */
export function refuseUnsupported(input: object, supported: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || value === false || supported.has(name)) continue
    throw errors.notImplemented(name)
  }
}

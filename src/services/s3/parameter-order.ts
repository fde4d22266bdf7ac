// The order in which S3 writes the keys of requestParameters and additionalEventData. Quirk: it is that of a Java HashMap made from
// another map, which all of some three hundred S3 records of real trails keep; readers that compare texts see ours in the same order.

/** The members without those that are undefined, in that order. `placesMin`: of a map that was not made from another one. */
export function inHashOrder(members: Readonly<Record<string, unknown>>, placesMin = 1): Readonly<Record<string, unknown>> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  const places = Math.max(placesMin, capacityFor(entries.length))
  return Object.fromEntries(entries.toSorted(([one], [other]) => (spread(one) & (places - 1)) - (spread(other) & (places - 1))))
}

/** HashMap(Map): the least power of two that holds `count` at a load of three quarters. */
function capacityFor(count: number): number {
  let capacity = 1
  while (capacity < count / 0.75 + 1) capacity *= 2
  return capacity
}

const spreads = new Map<string, number>()
const SPREADS_KEPT_MAX = 1000

/** String.hashCode, its upper half folded into the lower as HashMap does. */
function spread(name: string): number {
  let hash = spreads.get(name)
  if (hash !== undefined) return hash
  hash = 0
  for (let at = 0; at < name.length; at++) hash = (Math.imul(31, hash) + name.charCodeAt(at)) | 0
  hash ^= hash >>> 16
  if (spreads.size >= SPREADS_KEPT_MAX) spreads.clear()
  spreads.set(name, hash)
  return hash
}

// A checkpoint's further lines: what the server had counted of the calls it served when its tree had so many leaves. Two such lines say how
// many events of calls lie between, so that who has the leaves can count them.
import type { Counts } from '../acts.ts'

export interface TreeCensus {
  /** Leaves before the census. */
  readonly leaves: number
  /** Calls served until then, those included whose signature did not hold. */
  readonly calls: number
  /** Calls without an event: data events that no trail asks for, and refused signatures beyond the rate at which they are stored. */
  readonly untold: number
  /** Events beyond a call's first. */
  readonly further: number
}

export const NO_CALLS: TreeCensus = { leaves: 0, calls: 0, untold: 0, further: 0 }

export function treeCensus(leaves: number, { aws, own, unsigned, refusedSignature, unasked, unstored, further }: Counts): TreeCensus {
  return { leaves, calls: aws + own + unsigned + refusedSignature, untold: unasked + unstored, further }
}

/** `census leaves=120 calls=118 untold=3 further=5` */
export function formatCensusLine({ leaves, calls, untold, further }: TreeCensus): string {
  return `census leaves=${leaves} calls=${calls} untold=${untold} further=${further}`
}

export function parseCensusLine(line: string): TreeCensus | undefined {
  const match = /^census leaves=(\d{1,15}) calls=(\d{1,15}) untold=(\d{1,15}) further=(\d{1,15})$/.exec(line)
  if (match === null) return undefined
  const [leaves = 0, calls = 0, untold = 0, further = 0] = match.slice(1).map(Number)
  return { leaves, calls, untold, further }
}

/** Events that the calls between two censuses have to have left. */
export function eventsBetween(from: TreeCensus, to: TreeCensus): number {
  return to.calls - from.calls - (to.untold - from.untold) + (to.further - from.further)
}

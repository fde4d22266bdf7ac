// Why a filter policy is refused, in AWS's words behind its prefix.
import { placeOf } from './located-json.ts'

export class FilterPolicyError extends Error {}

/** A refusal of AWS's rule compiler, which tells where it stood. */
export function refuseAt(json: string, at: number, text: string): never {
  throw new FilterPolicyError(`FilterPolicy: ${text}${placeOf(json, at)}`)
}

export function refusePolicy(text: string): never {
  throw new FilterPolicyError(`FilterPolicy: ${text}`)
}

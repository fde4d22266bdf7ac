// Who gets which copy of a message when statements on outgoing messages make several of one: the message as it was published, copies with
// less in them, or none. It stands in the header of each, since deliveries are made later, by whoever reads the message then.
import type { Subscription } from '../topic.ts'
import { isNamed } from './principals.ts'
import { textNamesFor } from './texts.ts'

/** What tells subscriptions apart here: who subscribed, and which text of a JSON structure they get. */
export type Subscriber = Pick<Subscription, 'owner' | 'principal' | 'protocol' | 'endpoint'>

export interface Audience {
  /** The principals of each statement that has an effect on the message. */
  readonly statements: readonly (readonly string[])[]
  /** Keys (`audienceKey`) of those who get this copy. Who is in no copy's audience subscribed later and gets none. */
  readonly gets: readonly string[]
  /** Keys of those who must not get the message. Of the message as it was published alone. */
  readonly denied?: readonly string[]
  /** A copy with less in it. It follows the message as it was published, whose text alone filter policies look at. */
  readonly isCopy?: true
}

/** Places in `statements` of those that hold for the subscriber. */
export function heldStatements(statements: Audience['statements'], { owner: account, principal: arn }: Subscriber): readonly number[] {
  return statements.flatMap((principals, at) => (principals.some((one) => isNamed({ arn, account }, one)) ? [at] : []))
}

/** `held`: the statements that hold for the subscriber. */
export function audienceKey(held: readonly number[], subscriber: Subscriber): string {
  return `${held.join()} ${textNamesFor(subscriber)}`
}

/** What this copy is to the subscriber; undefined: another copy is meant for it, or none. */
export function placeIn({ statements, gets, denied = [] }: Audience, subscriber: Subscriber): 'gets' | 'denied' | undefined {
  const key = audienceKey(heldStatements(statements, subscriber), subscriber)
  if (gets.includes(key)) return 'gets'
  return denied.includes(key) ? 'denied' : undefined
}

/** AWS's words for a delivery that is not made ("Data protection policy operations", Deny). */
export function denialOf(subscriptionArn: string): { readonly status: number; readonly reason: string } {
  return { status: 403, reason: `The topic's data protection policy prohibits this message from being delivered to ${subscriptionArn}` }
}

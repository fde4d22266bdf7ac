// The texts of a message that are looked through: its body, or those of a JSON structure, of which each protocol has its own.

import { textNamesOf } from '../platform.ts'
import type { Subscription } from '../topic.ts'

/** By name, `default` among them; a body without structure has no name. */
export type MessageTexts = ReadonlyMap<string | undefined, string>

export interface StructuredBody {
  readonly body: string
  readonly structure?: 'json' | undefined
}

/** What is no text in a JSON structure is for no protocol ("Publishing messages with Amazon SNS", MessageStructure). */
export function textsOf({ body, structure }: StructuredBody): MessageTexts {
  if (structure !== 'json') return new Map([[undefined, body]])
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return new Map([[undefined, body]])
  }
  if (typeof parsed !== 'object' || parsed === null) return new Map([[undefined, body]])
  return new Map(Object.entries(parsed).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : [])))
}

/** The body that has these texts. */
export function bodyOf(texts: MessageTexts): string {
  return texts.get(undefined) ?? JSON.stringify(Object.fromEntries(texts))
}

/** Names under which the text for a subscription may stand, the first that is there, with slashes between them. */
export function textNamesFor({ protocol, endpoint }: Pick<Subscription, 'protocol' | 'endpoint'>): string {
  return protocol === 'application' ? [...textNamesOf(endpoint), protocol].join('/') : protocol
}

/** The name of the text that those get (notification.ts, selectEntry). `names`: as `textNamesFor` gives them. */
export function textNameFor(texts: MessageTexts, names: string): string | undefined {
  if (texts.has(undefined)) return undefined
  return names.split('/').find((name) => texts.has(name)) ?? 'default'
}

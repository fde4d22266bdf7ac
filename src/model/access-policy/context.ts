// The facts about a request that conditions and policy variables read. Keys are case-insensitive, values one or several texts.

export type ContextValue = string | readonly string[]
/** Lower-case keys are found fastest; any other spelling is found too. A list without members counts as an absent key. */
export type Context = Readonly<Record<string, ContextValue | undefined>>

/** `lowerKey` MUST be lower-case. */
export function contextValue(context: Context, lowerKey: string): ContextValue | undefined {
  if (Object.hasOwn(context, lowerKey)) return present(context[lowerKey])
  for (const key in context) {
    if (key.length === lowerKey.length && key.toLowerCase() === lowerKey && Object.hasOwn(context, key)) return present(context[key])
  }
  return undefined
}

function present(value: ContextValue | undefined): ContextValue | undefined {
  return typeof value === 'object' && value.length === 0 ? undefined : value
}

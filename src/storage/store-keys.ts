// The keys that a store is sealed with as a whole: the newest seals, all open. Numbers count from 1 in each store and stand beside what
// they sealed. A store without keys is not sealed.
export interface StoreKey {
  readonly number: number
  /** 32 bytes. */
  readonly key: Buffer
  /** When it was made, in ms since 1970. */
  readonly since: number
}

export interface StoreKeys {
  /** Seals from now on; undefined: nothing is sealed any more. */
  readonly current: StoreKey | undefined
  /** Every key that the store ever had. */
  readonly all: readonly StoreKey[]
}

export const NO_STORE_KEYS: StoreKeys = { current: undefined, all: [] }

export function storeKeyOf({ all }: StoreKeys, number: number): Buffer | undefined {
  return all.find((key) => key.number === number)?.key
}

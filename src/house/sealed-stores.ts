// Which stores are sealed as a whole, and with which keys: the setting seal.stores, and the keyring that remembers.
import type { Clock } from '../base/clock.ts'
import type { DataDirectory } from '../storage/disk/data-directory.ts'
import { NO_STORE_KEYS, type StoreKeys } from '../storage/store-keys.ts'

/** A key of a store gives way to a new one when it has sealed for so long. */
const STORE_KEY_MS = 90 * 24 * 3600 * 1000

/**
 * `stores`: those that are sealed from now on; undefined for a command, which goes on as the server did. What was sealed before opens in
 * any case.
 */
export function openStoreKeys(parts: {
  readonly data: DataDirectory | undefined
  readonly stores: readonly string[] | undefined
  readonly clock: Clock
}): (store: string) => StoreKeys {
  const { data, stores, clock } = parts
  if (data === undefined) return () => NO_STORE_KEYS
  const { keyring } = data
  if (stores !== undefined) keyring.setSealed(stores)
  return (store) => {
    const newest = keyring.storeKeys(store).at(-1)
    if (!keyring.sealed.includes(store)) return { current: undefined, all: keyring.storeKeys(store) }
    const current = newest === undefined || clock.now() - newest.since > STORE_KEY_MS ? keyring.addStoreKey(store) : newest
    return { current, all: keyring.storeKeys(store) }
  }
}

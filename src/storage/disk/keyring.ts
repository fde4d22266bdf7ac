// The keyring of a data directory: under which root key it is sealed, how that key is come by, and which former ones are still needed.
// A wrong key changes nothing. A key is changed in an order in which a crash leaves either the old one or the new one whole: the new key's
// file, then the keyring, which holds the old key sealed under the new, then the new file's name.
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes } from '../../base/aead.ts'
import { type Random, systemRandom } from '../../base/random.ts'
import {
  RootKeyRefused,
  type RootSource,
  type RootSources,
  rootKeyId,
  STRETCHING,
  type Stretching,
  stretchPassphrase,
} from '../../model/root-key.ts'
import type { StoreKey } from '../store-keys.ts'
import { renameDurably, writeDurably } from './durable-file.ts'
import { KEYRING_FILE, KEYRING_FORMAT, readKeyring, ROOT_KEY_FILE, storeKeyBound, type StoredKeyring } from './format.ts'

export interface FormerRoot {
  readonly id: string
  readonly key: Buffer
  /** When it was given up, in ms since 1970. */
  readonly since: number
}

export interface KeyringParts {
  readonly folder: string
  readonly random: Random
  readonly now: () => number
  readonly sources: RootSources
  /** Nothing is sealed yet: a key may be made. */
  readonly isNew: boolean
}

/** Throws RootKeyRefused, which names the keys and the remedy, and then has changed nothing. */
export function openKeyring(parts: KeyringParts): Keyring {
  const { folder, sources } = parts
  const stored = storedKeyring(folder)
  if (stored === undefined && parts.isNew) return Keyring.create(parts, newKey(parts, sources.current))
  const present = stored ?? adopted(parts)
  finishRotation(folder, present)
  const given = givenKey(folder, sources.current, present)
  if (given !== undefined && rootKeyId(given.key) === present.root.id) return Keyring.of(parts, present, given, stored === undefined)
  const previous = sources.previous === undefined ? undefined : givenKey(folder, sources.previous, present)
  if (previous === undefined || rootKeyId(previous.key) !== present.root.id) throw mismatch(parts, present, given ?? previous)
  const keyring = Keyring.of(parts, present, previous, false)
  keyring.change(given ?? newKey(parts, sources.current))
  keyring.turnedFrom = present.root.id
  return keyring
}

/**
 * The keys of sealed stores, for who only looks: nothing is made or changed. None where nothing is sealed as a whole, whatever the root
 * key; else throws RootKeyRefused.
 */
export function readStoreKeys(folder: string, sources: RootSources): (store: string) => readonly StoreKey[] {
  const stored = storedKeyring(folder)
  if ((stored?.stores ?? []).length === 0 || stored === undefined) return () => []
  const parts = { folder, sources, isNew: false, now: () => 0, random: systemRandom() }
  const given = givenKey(folder, sources.current, stored)
  if (given === undefined || rootKeyId(given.key) !== stored.root.id) throw mismatch(parts, stored, given)
  const keyring = Keyring.read(parts, stored, given.key)
  return (store) => keyring.storeKeys(store)
}

/** A key at hand, and how the next start comes by it. */
interface GivenKey {
  readonly key: Buffer
  readonly source: RootSource['kind']
  /** Of a key file: where it is, or is to be made. */
  readonly path?: string
  readonly isMade?: boolean
  readonly stretching?: Stretching
}

export class Keyring {
  /** The id of the root key that gave way to another as the directory was opened. */
  turnedFrom: string | undefined
  /** Keys of stores that were made since the directory was opened. */
  readonly newStoreKeys: NamedStoreKey[] = []
  readonly #parts: KeyringParts
  #stored: StoredKeyring
  #root: Buffer
  #former: readonly FormerRoot[]
  #stores: readonly NamedStoreKey[]

  private constructor(parts: KeyringParts, stored: StoredKeyring, root: Buffer) {
    this.#parts = parts
    this.#stored = stored
    this.#root = root
    this.#former = stored.former.map(({ id, sealed, since }) => {
      const key = openBytes(root, Buffer.from(sealed, 'base64url'), formerBound(id))
      if (key === undefined) throw new RootKeyRefused(`${join(parts.folder, KEYRING_FILE)} is damaged: former root key ${id} does not open`)
      return { id, key, since }
    })
    this.#stores = (stored.stores ?? []).map(({ store, number, since, sealed }) => {
      const key = openBytes(root, Buffer.from(sealed, 'base64url'), storeKeyBound(store, number))
      if (key === undefined)
        throw new RootKeyRefused(`${join(parts.folder, KEYRING_FILE)} is damaged: key ${number} of ${store} does not open`)
      return { store, number, since, key }
    })
  }

  static create(parts: KeyringParts, made: GivenKey): Keyring {
    const stored = { format: KEYRING_FORMAT, root: rootOf(parts, made), former: [] }
    if (made.isMade === true && made.path !== undefined) writeDurably(made.path, made.key)
    const keyring = new Keyring(parts, stored, made.key)
    keyring.#write(stored)
    return keyring
  }

  static of(parts: KeyringParts, stored: StoredKeyring, given: GivenKey, isAdopted: boolean): Keyring {
    const keyring = new Keyring(parts, stored, given.key)
    const file = fileMember(parts.folder, given)
    // Who opens the directory without our settings finds the key where it is now.
    if (isAdopted || (given.source === stored.root.source && file.file !== stored.root.file)) {
      const { file: _, ...root } = stored.root
      keyring.#write({ ...stored, root: { ...root, ...file } })
    }
    return keyring
  }

  static read(parts: KeyringParts, stored: StoredKeyring, root: Buffer): Keyring {
    return new Keyring(parts, stored, root)
  }

  get root(): Buffer {
    return this.#root
  }

  get source(): RootSource['kind'] {
    return this.#stored.root.source
  }

  /** Since when the present root key counts, in ms since 1970. */
  get since(): number {
    return this.#stored.root.since
  }

  get former(): readonly FormerRoot[] {
    return this.#former
  }

  /** A new root key in the place of the present one's file. Throws RootKeyRefused where the key is not ours to make. */
  rotate(): void {
    const { folder, random } = this.#parts
    if (this.source !== 'file')
      throw new RootKeyRefused(
        `the root key comes from the ${this.source}: start the server with the new one, and with the present one as ` +
          `${this.source === 'passphrase' ? 'SEALCAST_ROOT_PASSPHRASE_PREVIOUS' : 'SEALCAST_ROOT_KEY_PREVIOUS'}`,
      )
    this.change({ key: random.bytes(KEY_BYTES), source: 'file', path: this.#stored.root.file ?? join(folder, ROOT_KEY_FILE), isMade: true })
  }

  change(to: GivenKey): void {
    const { random, now } = this.#parts
    const sealedUnder = (bound: string, key: Buffer): string =>
      sealBytes(to.key, random.bytes(NONCE_BYTES), key, bound).toString('base64url')
    const former = [...this.#former, { id: this.#stored.root.id, key: this.#root, since: now() }]
    const next = to.isMade === true && to.path !== undefined ? `${to.path}${NEXT}` : undefined
    if (next !== undefined) writeDurably(next, to.key)
    this.#write({
      ...this.#stored,
      root: rootOf(this.#parts, to),
      former: former.map(({ id, key, since }) => ({ id, since, sealed: sealedUnder(formerBound(id), key) })),
      stores: this.#stores.map(({ store, number, since, key }) => ({
        store,
        number,
        since,
        sealed: sealedUnder(storeKeyBound(store, number), key),
      })),
    })
    // Commit point: from here on the new key counts; a start that finds the next file gives it its name.
    if (next !== undefined) renameDurably(next, to.path ?? '')
    this.#root = to.key
    this.#former = former
  }

  /** Stores that are sealed as a whole. */
  get sealed(): readonly string[] {
    return this.#stored.sealed ?? []
  }

  setSealed(stores: readonly string[]): void {
    if (stores.toSorted().join() !== this.sealed.toSorted().join()) this.#write({ ...this.#stored, sealed: stores })
  }

  /** Every key that a store ever had, oldest first; none where it was never sealed. */
  storeKeys(store: string): readonly StoreKey[] {
    return this.#stores.filter((key) => key.store === store)
  }

  /** A new key for a store, durable when this returns. */
  addStoreKey(store: string): StoreKey {
    const { random, now } = this.#parts
    const number = (this.storeKeys(store).at(-1)?.number ?? 0) + 1
    const key: NamedStoreKey = { store, number, since: now(), key: random.bytes(KEY_BYTES) }
    const sealed = sealBytes(this.#root, random.bytes(NONCE_BYTES), key.key, storeKeyBound(store, number)).toString('base64url')
    this.#write({ ...this.#stored, stores: [...(this.#stored.stores ?? []), { store, number, since: key.since, sealed }] })
    this.#stores = [...this.#stores, key]
    this.newStoreKeys.push(key)
    return key
  }

  /** Nothing is sealed under the former keys any more. */
  forgetFormer(): void {
    this.#write({ ...this.#stored, former: [] })
    this.#former = []
  }

  #write(stored: StoredKeyring): void {
    writeDurably(join(this.#parts.folder, KEYRING_FILE), Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`))
    this.#stored = stored
  }
}

const NEXT = '.next'

interface NamedStoreKey extends StoreKey {
  readonly store: string
}

function formerBound(id: string): string {
  return `former root key ${id}`
}

function rootOf({ folder, now }: KeyringParts, given: GivenKey): StoredKeyring['root'] {
  const { key, source, stretching } = given
  return { id: rootKeyId(key), source, since: now(), ...fileMember(folder, given), ...(stretching !== undefined && { stretching }) }
}

function fileMember(folder: string, { path }: GivenKey): { readonly file?: string } {
  return path === undefined || path === join(folder, ROOT_KEY_FILE) ? {} : { file: path }
}

function storedKeyring(folder: string): StoredKeyring | undefined {
  const path = join(folder, KEYRING_FILE)
  if (!existsSync(path)) return undefined
  const stored = readKeyring(readFileSync(path, 'utf8'))
  if (stored === undefined) throw new RootKeyRefused(`${path} is damaged: restore it from a backup. Nothing was changed.`)
  if (stored.format > KEYRING_FORMAT)
    throw new RootKeyRefused(`${path} says format ${stored.format}; this release knows up to ${KEYRING_FORMAT}. Use the newer release.`)
  return stored
}

/** Of a directory that an older release made: sealed under its key file. */
function adopted(parts: KeyringParts): StoredKeyring {
  const given = givenKey(parts.folder, { kind: 'file' }, undefined)
  if (given === undefined)
    throw new RootKeyRefused(
      `${join(parts.folder, ROOT_KEY_FILE)} and ${KEYRING_FILE} are missing; what is sealed cannot be opened. Restore them from a backup.`,
    )
  return { format: KEYRING_FORMAT, root: rootOf(parts, given), former: [] }
}

/** What a crash between the keyring and the new file's name left. A next file that the keyring does not know has sealed nothing. */
function finishRotation(folder: string, { root }: StoredKeyring): void {
  if (root.source !== 'file') return
  const path = root.file ?? join(folder, ROOT_KEY_FILE)
  const next = `${path}${NEXT}`
  if (!existsSync(next)) return
  if (rootKeyId(readFileSync(next)) === root.id) renameDurably(next, path)
  else rmSync(next)
}

/** The key of a source; undefined where there is none: no file, or a passphrase that no key was made of. */
function givenKey(folder: string, source: RootSource, present: StoredKeyring | undefined): GivenKey | undefined {
  if (source.kind === 'environment') return { key: source.key, source: source.kind }
  if (source.kind === 'passphrase') {
    const stretching = present?.root.stretching
    return stretching && { key: stretchPassphrase(source.passphrase, stretching), source: source.kind, stretching }
  }
  const inside = join(folder, ROOT_KEY_FILE)
  const places = source.file === undefined ? [inside, present?.root.file ?? inside] : [source.file]
  const found = places.filter((path) => existsSync(path)).map((path) => ({ key: readKeyFile(path, inside), source: source.kind, path }))
  return found.find(({ key }) => rootKeyId(key) === present?.root.id) ?? found[0]
}

function readKeyFile(path: string, inside: string): Buffer {
  // The data directory lets nobody in; of another folder we do not know.
  if (path === inside) chmodSync(path, 0o600)
  else if ((statSync(path).mode & 0o077) !== 0)
    throw new RootKeyRefused(`keys.rootFile: others than its owner may use ${path}; say chmod 600 ${path}. Nothing was changed.`)
  const key = readFileSync(path)
  if (key.length !== KEY_BYTES)
    throw new RootKeyRefused(`${path} has ${key.length} bytes; a root key has ${KEY_BYTES}. Restore it from a backup.`)
  return key
}

function newKey({ folder, random }: KeyringParts, source: RootSource): GivenKey {
  switch (source.kind) {
    case 'environment':
      return { key: source.key, source: source.kind }
    case 'passphrase': {
      const stretching = { ...STRETCHING, salt: random.bytes(16).toString('base64') }
      return { key: stretchPassphrase(source.passphrase, stretching), source: source.kind, stretching }
    }
    case 'file': {
      const path = source.file ?? join(folder, ROOT_KEY_FILE)
      return givenKey(folder, source, undefined) ?? { key: random.bytes(KEY_BYTES), source: source.kind, path, isMade: true }
    }
  }
}

function mismatch({ folder, sources: { current } }: KeyringParts, { root }: StoredKeyring, given: GivenKey | undefined): RootKeyRefused {
  const place = root.file ?? join(folder, ROOT_KEY_FILE)
  const remedy = {
    file: `Restore ${place} from a backup, or name it with keys.rootFile`,
    environment: 'Give that key as SEALCAST_ROOT_KEY',
    passphrase: 'Give the passphrase as SEALCAST_ROOT_PASSPHRASE or SEALCAST_ROOT_PASSPHRASE_FILE',
  }[root.source]
  const what =
    given === undefined
      ? `no root key is at hand (${current.kind === 'file' ? `there is no ${current.file ?? place}` : `its source is the ${root.source}`})`
      : `the root key at hand (${given.source}) has id ${rootKeyId(given.key)}`
  return new RootKeyRefused(
    `${what}, but ${folder} is sealed under root key ${root.id} (${root.source}). ${remedy}. To change to another key, see "Keys" in ` +
      'docs/OPERATING.md. Nothing was changed.',
  )
}

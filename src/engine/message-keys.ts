// The keys under which the messages of a queue or a topic are sealed: which one serves, whom it serves, and its data keys. A data key is
// used again for a while; only then the key itself is asked, and may refuse.
import { parseArn } from '../model/arn.ts'
import type { StoredKey } from '../model/key.ts'
import type { Env } from './env.ts'
import { type DataKey, KeyDisabled, KeyMissing, type KeyPlace, type Keys, OBJECTS_KEY } from './keys.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

/** A service whose messages are sealed. */
export interface SealingService {
  /** Of the key that AWS keeps for it in each account. */
  readonly alias: string
  /** What the ARN is called in the context of a data key. Data keys in journals are bound to it: it never changes. */
  readonly contextName: string
}

/** A queue or a topic that asks for encryption. */
export interface SealedResource {
  readonly service: SealingService
  readonly arn: string
  readonly owner: string
  /** As the owner named it; undefined for the server's own key. */
  readonly keyId: string | undefined
  /** For so long a data key is used again. */
  readonly reuseMs: number
}

/** Who lets a key work: an account, or a service on behalf of one. The server itself, moving a message, needs none. */
export interface KeyUser {
  readonly account: string
  readonly isService: boolean
}

/** A key that opened is asked again as often as one that seals by default. */
export const REUSE_MS = 300_000
const KEPT_MAX = 10_000

export type KeyParts = Pick<Env, 'keys' | 'random' | 'tables' | 'clock' | 'acts'>

/** The key serves its own account alone; that of a service, no other service. */
class KeyForeign extends Error {
  override name = 'KeyForeign'
}

export interface KeyProblem {
  readonly kind: 'missing' | 'disabled' | 'foreign'
  readonly message: string
}

/** What a key has against it, or undefined for another error. */
export function keyProblem(error: unknown): KeyProblem | undefined {
  if (error instanceof KeyMissing) return { kind: 'missing', message: error.message }
  if (error instanceof KeyDisabled) return { kind: 'disabled', message: error.message }
  return error instanceof KeyForeign ? { kind: 'foreign', message: error.message } : undefined
}

/** The data key to seal with. Throws what keyProblem names. `user` undefined: the server itself. */
export function sealingKey(tx: Transaction, env: KeyParts, resource: SealedResource, user: KeyUser | undefined): DataKey {
  const found = resource.keyId === undefined ? ownKey(tx, env) : findKey(tx, env, resource, resource.keyId)
  const key = found ?? makeServiceKey(tx, env, resource)
  if (user !== undefined && resource.keyId !== undefined) checkUser(key, resource, user)
  const last = lastKey(env, resource, key, tx.now)
  if (last !== undefined) return last
  const made = env.keys.dataKey(tx, key.keyId, contextOf(resource.service, resource.arn))
  // A key of this very commit may never come to be.
  if (found === undefined) return made
  const { current, opened } = keptOf(env)
  const until = tx.now + resource.reuseMs
  keep(current, currentName(resource, key), { key: made, until })
  keep(opened, made.sealed, { plain: made.plain, until })
  return made
}

/** Whether the resource's key would seal and open at this moment. Throws what keyProblem names. Stages nothing. */
export function checkKey(tables: TableReader, env: KeyParts, resource: SealedResource, user: KeyUser | undefined, now: number): void {
  if (resource.keyId === undefined) return
  const key = findKey(tables, env, resource, resource.keyId)
  if (key === undefined) return
  if (user !== undefined) checkUser(key, resource, user)
  if (lastKey(env, resource, key, now) === undefined && !key.isEnabled) throw new KeyDisabled(`${key.arn} is disabled.`)
}

/** A data key again, in plain. Throws KeyMissing, KeyDisabled and KeyBroken. */
export function openedKey(env: KeyParts, service: SealingService, arn: string, sealed: string): Buffer {
  const { opened } = keptOf(env)
  const now = env.clock.now()
  const known = opened.get(sealed)
  if (known !== undefined && known.until > now) return known.plain
  const plain = env.keys.open(env.tables, sealed, contextOf(service, arn))
  keep(opened, sealed, { plain, until: now + REUSE_MS })
  return plain
}

/** What was sealed or opened lately, so that it can be again without asking the key. */
interface Kept {
  readonly current: Map<string, { readonly key: DataKey; readonly until: number }>
  readonly opened: Map<string, { readonly plain: Buffer; readonly until: number }>
}
const kept = new WeakMap<Keys, Kept>()

function keptOf({ keys }: KeyParts): Kept {
  let found = kept.get(keys)
  if (found === undefined) kept.set(keys, (found = { current: new Map(), opened: new Map() }))
  return found
}

function keep<Value>(values: Map<string, Value>, name: string, value: Value): void {
  if (values.size >= KEPT_MAX) values.clear()
  values.set(name, value)
}

/** The data key that is used again, or undefined when its time is over. */
function lastKey(env: KeyParts, resource: SealedResource, key: StoredKey, now: number): DataKey | undefined {
  const known = keptOf(env).current.get(currentName(resource, key))
  return known !== undefined && known.until > now && known.until <= now + resource.reuseMs ? known.key : undefined
}

function currentName({ arn }: SealedResource, { keyId, version }: StoredKey): string {
  return `${arn} ${keyId} ${version}`
}

function contextOf({ contextName }: SealingService, arn: string): Readonly<Record<string, string>> {
  return { [contextName]: arn }
}

function ownKey(tables: TableReader, { keys }: KeyParts): StoredKey {
  const own = keys.own(tables, OBJECTS_KEY)
  if (own === undefined) throw new KeyMissing(`the server has no key ${OBJECTS_KEY}`)
  return own
}

/** Undefined for the service's own key before anything was sealed with it. A key serves its own region alone. */
function findKey(tables: TableReader, { keys }: KeyParts, resource: SealedResource, keyId: string): StoredKey | undefined {
  const place = placeOf(resource)
  const found = keys.find(tables, keyId, place)
  if (found !== undefined && found.region === place.region) return found
  if (keyId !== resource.service.alias) throw new KeyMissing(`Invalid keyId '${keyId}'`)
  return undefined
}

/** Made when it is first needed, as on AWS. */
function makeServiceKey(tx: Transaction, { keys, acts }: KeyParts, resource: SealedResource): StoredKey {
  const { alias } = resource.service
  const made = keys.create(tx, { ...placeOf(resource), alias, manager: 'service' })
  acts.tell(tx, { name: 'KeyCreated', details: { keyArn: made.arn, alias } })
  return made
}

function placeOf({ arn, owner }: SealedResource): KeyPlace {
  return { account: owner, region: parseArn(arn)?.region ?? '' }
}

function checkUser(key: StoredKey, { service }: SealedResource, { account, isService }: KeyUser): void {
  if (account !== '' && account !== key.account) throw new KeyForeign(`The key ${key.arn} belongs to another account.`)
  if (isService && key.manager === 'service')
    throw new KeyForeign(`The key ${service.alias} serves no other service. Name a key of your own in KmsMasterKeyId.`)
}

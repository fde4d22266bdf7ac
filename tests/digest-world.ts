// What the tests of digests have in common: a trail that validates its log files, time in long strides, and the bucket checked as a whole.
import { Table } from '../src/model/tables.ts'
import { type BucketObject, checkDigests, type PublicKey, type ReadDigest } from './digest-check.ts'
import { storedBytes } from './stored-bytes.ts'
import { INTERVAL_SECONDS, makeTrail, turns, type World } from './trail-world.ts'

export const HOUR_SECONDS = 3600

export async function startValidating(world: World, more: object = {}): Promise<void> {
  await makeTrail(world, { EnableLogFileValidation: true, ...more })
  await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
}

/** Lets time pass by whole rounds, with what falls due in each. */
export async function stride(world: World, seconds: number): Promise<void> {
  const { follower, server } = world
  const { clock } = server
  for (let passed = 0; passed < seconds && follower === world.follower; passed += INTERVAL_SECONDS) {
    for (let turn = 0; turn < 4; turn++) {
      clock.advance(turn === 0 ? 0 : 25)
      await turns()
    }
    clock.advance(INTERVAL_SECONDS * 1000 - 75)
    await turns()
    await follower.settled()
  }
}

/** Without a call, which would be logged. */
export async function bucketObjects({ server }: World, bucket = 'logs'): Promise<readonly BucketObject[]> {
  const objects: BucketObject[] = []
  for (const { value } of server.env.tables.range(Table.objects, { prefix: `${bucket}/` })) {
    objects.push({ key: value.key, body: await storedBytes(server.env, value), metadata: value.metadata })
  }
  return objects
}

export function publicKeys({ server }: World): readonly PublicKey[] {
  return server.env.tables.range(Table.digestKeys, {}).map(({ value }) => ({ Value: value.publicKey, Fingerprint: value.fingerprint }))
}

/** Asserts that all is in order in the bucket, or in what counts of it, and tells its digests by end. */
export async function digests(world: World, counts: (key: string) => boolean = () => true): Promise<readonly ReadDigest[]> {
  const objects = (await bucketObjects(world)).filter(({ key }) => counts(key))
  const read = checkDigests('logs', objects, publicKeys(world))
  return read.toSorted((a, b) => (a.end < b.end ? -1 : 1))
}

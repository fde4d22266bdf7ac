// A new root key while the server serves: everything opens before, during and after; a former key goes only when nothing can need it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCOUNT, createHarness, type Harness, REGION } from '../../tests/harness.ts'
import { rootKeyId } from '../model/root-key.ts'
import { Table, type TableNumber } from '../model/tables.ts'
import { s3 } from '../services/s3/index.ts'
import { createRootKey, putRootKey } from './accounts.ts'
import { secretContext } from './authenticate.ts'
import { createCaptured } from './captured.ts'
import { createRecordKeys } from './record-keys.ts'
import { createRootRotation, type RootRotation } from './root-rotation.ts'
import { createSeal, type RootSeal } from './seal.ts'

const [OLD, NEW] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)]

interface World {
  readonly server: Harness
  readonly seal: RootSeal
  readonly rotation: RootRotation
  readonly former: { id: string; since: number }[]
  /** As if everything up to here had been trimmed. */
  trimmedTo: number
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }))
  const { env } = server
  const former: { id: string; since: number }[] = []
  let root = OLD
  const seal = createSeal(OLD, env.random)
  const rootKeys = {
    get root() {
      return root
    },
    former,
    turnedFrom: undefined,
    newStoreKeys: [],
    rotate() {
      former.push({ id: rootKeyId(root), since: 0 })
      root = NEW
    },
    forgetFormer: () => void former.splice(0),
  }
  const world = { server, seal, former, trimmedTo: 0 } as { -readonly [K in keyof World]: World[K] }
  const journal = new Proxy(env.journal, {
    get: (target, name) => (name === 'start' ? world.trimmedTo : (Reflect.get(target, name, target) as unknown)),
  })
  world.rotation = createRootRotation({ env: { ...env, journal }, acts: env.acts, seal, rootKeys })
  try {
    await run(world)
  } finally {
    await world.rotation.stop()
    await server.close()
  }
}

/** Tables of which a row names this root key. */
function tablesOf({ env }: Harness, root: Buffer): number[] {
  const mark = `v1.${rootKeyId(root)}.`
  return Object.values(Table).filter((table: TableNumber) =>
    env.tables.range(table, {}).some(({ value }) => JSON.stringify(value).includes(mark)),
  )
}

test('everything is sealed anew, in steps, and opens all the while', () =>
  withWorld(async ({ server, seal, rotation, former }) => {
    const { env } = server
    const keys = createRecordKeys({ random: env.random, seal })
    const made = await Promise.all(
      Array.from({ length: 150 }, async (_, at) => {
        const key = createRootKey(env.random)
        await env.commits.commit((tx) => putRootKey(tx, seal, String(at).padStart(12, '0'), key)).done
        return key
      }),
    )
    const { result } = env.commits.commit((tx) => keys.create(tx, { account: ACCOUNT, region: REGION }))
    const { plain, sealed } = keys.dataKey(env.tables, result.keyId, {})
    await createCaptured({ ...env, seal }).keep({ protocol: 'email', to: 'bob@example.com', body: 'kept', messageId: 'M' })
    const isAllOpen = (): void => {
      for (const { accessKeyId, secretAccessKey } of made) {
        const row = env.tables.get(Table.accessKeys, accessKeyId)
        assert.equal(seal.open(row?.sealedSecret ?? '', secretContext(accessKeyId)), secretAccessKey)
      }
    }
    assert.deepEqual(rotation.rotate(), { from: rootKeyId(OLD), to: rootKeyId(NEW) })
    isAllOpen()
    await rotation.goOn()
    isAllOpen()
    assert.deepEqual(tablesOf(server, OLD), [])
    assert.ok(tablesOf(server, NEW).includes(Table.accessKeys))
    // Another process, which knows the new key alone.
    const later = createRecordKeys({ random: env.random, seal: createSeal(NEW, env.random) })
    assert.ok(later.open(env.tables, sealed, {}).equals(plain))
    const inbox = createCaptured({ ...env, seal: createSeal(NEW, env.random) })
    assert.equal((await inbox.list({}, 1))[0]?.body, 'kept')
    assert.equal(former.length, 1, 'the journal may still hold what the former key sealed')
  }))

test('a former key goes when the journal has let go of what it sealed, and that is told', () =>
  withWorld(async (world) => {
    const { server, seal, rotation, former } = world
    const sealed = seal.seal('text', 'context')
    rotation.rotate()
    await rotation.goOn()
    await rotation.goOn()
    assert.equal(seal.open(sealed, 'context'), 'text')
    world.trimmedTo = server.env.journal.tail
    await rotation.goOn()
    assert.deepEqual(former, [])
    assert.throws(() => seal.open(sealed, 'context'), { name: 'SealBroken', message: new RegExp(rootKeyId(OLD)) })
    const told = (await server.events()).map(({ record }) => record).find(({ eventName }) => eventName === 'RootKeyRetired')
    assert.deepEqual(told?.['serviceEventDetails'], { rootKeyIds: [rootKeyId(OLD)] })
  }))

test('a former key stays while a row needs it that nobody can seal anew', () =>
  withWorld(async (world) => {
    const { server, seal, rotation, former } = world
    const { commits } = server.env
    await commits.commit((tx) => tx.put(Table.meta, 'odd', seal.seal('text', 'context'))).done
    rotation.rotate()
    world.trimmedTo = Infinity
    await rotation.goOn()
    assert.equal(former.length, 1)
    await commits.commit((tx) => tx.delete(Table.meta, 'odd')).done
    await rotation.goOn()
    assert.equal(former.length, 0)
  }))

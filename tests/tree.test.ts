import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TreeState } from '../src/model/tlog/tree-rows.ts'
import { addTreeKey, treeKeys } from '../src/engine/tree-signing.ts'
import { bucketPublication, filePublication, type Publication, topicPublication } from '../src/followers/tree/publication.ts'
import { openTree, type Tree } from '../src/followers/tree/tree.ts'
import { EventFlag } from '../src/model/entry.ts'
import { Table } from '../src/model/tables.ts'
import { openCheckpoint } from '../src/model/tlog/checkpoint.ts'
import { eventLeaf } from '../src/model/tlog/event-leaf.ts'
import { isGrown, isIncluded, leafHash, rootHash } from '../src/model/tlog/merkle.ts'
import { parseNote, parseVerifierKey } from '../src/model/tlog/signed-note.ts'
import { decodeBundle, parseTilePath, subtreeHash } from '../src/model/tlog/tiles.ts'
import { s3 } from '../src/services/s3/index.ts'
import { createSns } from '../src/services/sns/index.ts'
import { memoryFiles, type MemoryFiles } from '../src/storage/memory/files.ts'
import { hasTreeFiles } from '../src/storage/tree/format.ts'
import { openPackedFiles } from '../src/storage/tree/packed-files.ts'
import type { TreeStore } from '../src/storage/tree.ts'
import { ACCOUNT, createHarness, type Harness, REGION } from './harness.ts'
import { turns } from './trail-world.ts'

const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:checkpoints`
const SECONDS = 60
const POLICY = (action: string, resource: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sealcast.local' }, Action: action, Resource: resource }],
  })

interface World {
  readonly server: Harness
  readonly files: MemoryFiles
  tree: Tree
  open(): Promise<Tree>
  pass(seconds: number): Promise<void>
}

async function withTree(
  run: (world: World) => Promise<void>,
  publications: (world: World, store: TreeStore) => readonly Publication[] = () => [],
): Promise<void> {
  const server = await createHarness((env) => ({ s3, sns: createSns({ tables: env.tables, protocols: {} }) }))
  const files = memoryFiles()
  const open = async (): Promise<Tree> => {
    const tree = await openTree({
      env: server.env,
      hasFiles: hasTreeFiles(files, '/tree'),
      openStore: (state) => openPackedFiles(files, '/tree', state),
      checkpointSeconds: SECONDS,
      publications: (store) => publications(world, store),
    })
    server.follow(tree.follower)
    return tree
  }
  const world: World = {
    server,
    files,
    tree: undefined as unknown as Tree,
    open,
    async pass(seconds) {
      for (let second = 0; second < seconds; second++) {
        for (let step = 0; step < 4; step++) {
          server.clock.advance(250)
          await turns()
        }
        await world.tree.checkpoints.settled()
      }
    },
  }
  world.tree = await open()
  try {
    await run(world)
  } finally {
    await server.close()
  }
}

async function publish({ server }: World, count: number): Promise<void> {
  await server.call('sns', 'CreateTopic', { Name: 'orders' })
  for (let at = 0; at < count; at++)
    await server.call('sns', 'Publish', { TopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:orders`, Message: `m${at}` })
}

/** The leaves that the events of the journal have by definition. */
async function leavesOf({ server }: World): Promise<string[]> {
  return (await server.events()).map((event) => eventLeaf(event.class, event.json, (event.flags & EventFlag.caused) !== 0))
}

function rootOf(leaves: readonly string[]): Buffer {
  const hashes = Buffer.concat(leaves.map((leaf) => leafHash(Buffer.from(leaf))))
  return rootHash(leaves.length, (level, index) => subtreeHash(hashes, index * 2 ** level, 2 ** level))
}

const keysOf = ({ server }: World) => treeKeys(server.env.tables).flatMap(({ verifierKey }) => parseVerifierKey(verifierKey) ?? [])

describe('the tree over the events', () => {
  it('has one leaf for each event, in order, and proves each', async () => {
    await withTree(async (world) => {
      await publish(world, 300)
      const note = Buffer.from(await world.tree.sign())
      const leaves = await leavesOf(world)
      const opened = openCheckpoint(note, keysOf(world))
      assert.ok('checkpoint' in opened && opened.signers.length === 1)
      assert.equal(opened.checkpoint.size, leaves.length)
      assert.deepEqual(opened.checkpoint.root, rootOf(leaves))
      const event = (await world.server.events())[123]
      const found = await world.tree.find(String(event?.record['eventID']))
      assert.deepEqual(found, { index: 123, line: leaves[123] })
      const proof = world.tree.inclusion(123, leaves.length)
      assert.ok(isIncluded(leafHash(Buffer.from(found.line)), 123, opened.checkpoint, proof))
    })
  })

  it('goes on where it stood, and proves that it grew', async () => {
    await withTree(async (world) => {
      await publish(world, 40)
      const first = openCheckpoint(Buffer.from(await world.tree.sign()), keysOf(world))
      world.tree = await world.open()
      await publish(world, 300)
      const second = openCheckpoint(Buffer.from(await world.tree.sign()), keysOf(world))
      assert.ok('checkpoint' in first && 'checkpoint' in second)
      assert.deepEqual(second.checkpoint.root, rootOf(await leavesOf(world)))
      assert.ok(isGrown(first.checkpoint, second.checkpoint, world.tree.growth(first.checkpoint.size, second.checkpoint.size)))
    })
  })

  it('keeps the journal until its leaves are on stable storage', async () => {
    await withTree(async (world) => {
      const before = world.tree.follower.checkpoint
      await publish(world, 10)
      await world.pass(2)
      assert.equal(world.tree.follower.checkpoint, before)
      await world.pass(SECONDS)
      assert.ok(world.tree.follower.checkpoint > before)
      const row = world.server.env.tables.get(Table.tree, 'state') as TreeState
      assert.equal(row.size, 11)
      assert.equal(openPackedFiles(world.files, '/tree', { size: row.size, root: Buffer.from(row.root, 'base64') }).size, 11)
    })
  })

  it('signs under a new key when an operator says so', async () => {
    await withTree(async (world) => {
      const { env } = world.server
      const note = Buffer.from(await world.tree.sign())
      await env.commits.commit((tx) => addTreeKey(env, tx, world.tree.origin)).done
      const [newest, oldest] = keysOf(world)
      const next = Buffer.from(await world.tree.sign())
      assert.ok(newest !== undefined && oldest !== undefined)
      assert.equal(parseNote(next)?.signatures[0]?.hash, newest.hash)
      assert.equal(parseNote(note)?.signatures[0]?.hash, oldest.hash)
    })
  })

  it('begins anew under another name when its files were moved away', async () => {
    await withTree(async (world) => {
      await publish(world, 10)
      await world.tree.sign()
      const { origin } = world.tree
      const moved = await openTree({
        env: world.server.env,
        hasFiles: false,
        openStore: (state) => openPackedFiles(memoryFiles(), '/tree', state),
        checkpointSeconds: undefined,
        publications: () => [],
      })
      assert.equal(moved.origin, `${origin}/2`)
      const act = (await world.server.events()).find(({ record }) => record['eventName'] === 'TreeBegunAnew')
      assert.ok(JSON.stringify(act?.record['serviceEventDetails']).endsWith('"leavesBefore":11}'))
    })
  })
})

describe('the tree after a restore', () => {
  it('goes on under a new name, with the leaves that it has', async () => {
    await withTree(async (world) => {
      const { env } = world.server
      const lineage = (id: string, number: number) => ({ kind: 'lineage', directory: 'd', id, number, since: 0 }) as const
      await env.commits.commit((tx) => tx.put(Table.acts, 'lineage', lineage('first', 1))).done
      world.tree = await world.open()
      await publish(world, 10)
      await world.tree.sign()
      const { origin, size } = world.tree
      world.tree = await world.open()
      assert.equal(world.tree.origin, origin)
      await env.commits.commit((tx) => tx.put(Table.acts, 'lineage', lineage('restored', 2))).done
      world.tree = await world.open()
      assert.ok(world.tree.origin !== origin)
      assert.equal(world.tree.size, size)
      const opened = openCheckpoint(Buffer.from(await world.tree.sign()), keysOf(world))
      assert.ok('checkpoint' in opened && opened.signers.length === 1)
      assert.deepEqual(opened.checkpoint.root, rootOf((await leavesOf(world)).slice(0, opened.checkpoint.size)))
    })
  })
})

describe('checkpoints of the tree', () => {
  it('go to a file that grows by each, and do not beget each other', async () => {
    const volume = memoryFiles()
    await withTree(
      async (world) => {
        await publish(world, 3)
        await world.pass(3 * SECONDS)
        const once = read(volume, '/checkpoints')
        assert.equal(parseNote(Buffer.from(once))?.signatures.length, 1)
        await world.server.call('sns', 'ListTopics')
        await world.pass(3 * SECONDS)
        const twice = read(volume, '/checkpoints')
        assert.ok(twice.startsWith(once))
        assert.match(twice.slice(once.length), /^sealcast\/[0-9a-f]{16}\n6\n/)
        assert.equal(twice.match(/\u2014/g)?.length, 2)
        const told = (await world.server.events()).filter(({ record }) => record['eventName'] === 'CheckpointPublished')
        assert.equal(told.length, 2)
      },
      () => [filePublication(volume, '/checkpoints')],
    )
  })

  it('go to a topic, as a recorded call of the server', async () => {
    await withTree(
      async (world) => {
        await world.server.call('sns', 'CreateTopic', { Name: 'checkpoints', Attributes: { Policy: POLICY('SNS:Publish', TOPIC) } })
        await world.pass(4 * SECONDS)
        const calls = (await world.server.events()).filter(({ record }) => record['eventName'] === 'Publish')
        assert.equal(calls.length, 1)
        const { userIdentity, additionalEventData } = calls[0]?.record ?? {}
        assert.deepEqual(userIdentity, { type: 'AWSService', invokedBy: 'sealcast.local' })
        assert.deepEqual(additionalEventData, { causedByTree: world.tree.origin })
      },
      ({ server }) => [topicPublication({ env: server.env, account: ACCOUNT, region: REGION }, TOPIC)],
    )
  })

  it('that cannot be published are told once and tried again', async () => {
    await withTree(
      async (world) => {
        await publish(world, 1)
        await world.pass(4 * SECONDS)
        const acts = async () => (await world.server.events()).filter(({ record }) => record['eventName'] === 'CheckpointPublished')
        assert.deepEqual(
          (await acts()).map(({ record }) => record['errorCode']),
          ['AuthorizationError'],
        )
        await world.server.call('sns', 'CreateTopic', { Name: 'checkpoints', Attributes: { Policy: POLICY('SNS:Publish', TOPIC) } })
        await world.pass(2 * SECONDS)
        assert.deepEqual(
          (await acts()).map(({ record }) => record['errorCode']),
          ['AuthorizationError', undefined],
        )
      },
      ({ server }) => [topicPublication({ env: server.env, account: ACCOUNT, region: REGION }, TOPIC)],
    )
  })

  it('go to a bucket with the whole tree, as a static log', async () => {
    await withTree(
      async (world) => {
        const { server } = world
        await server.call('s3', 'CreateBucket', { Bucket: 'log' })
        const policy = POLICY('s3:*', 'arn:aws:s3:::log/*')
        await server.call('s3', 'PutBucketPolicy', { Bucket: 'log', Policy: policy })
        await publish(world, 100)
        await world.pass(SECONDS + 1)
        await publish(world, 300)
        await world.pass(SECONDS + 1)
        const objects = new Map<string, Buffer>()
        for (const { key, value } of server.env.tables.range(Table.objects, { prefix: 'log/' })) {
          const answer = await server.call('s3', 'GetObject', { Bucket: 'log', Key: key.slice(4) })
          const { Body } = answer as unknown as { Body: AsyncIterable<Buffer> }
          const parts: Buffer[] = []
          for await (const part of Body) parts.push(part)
          assert.equal(Buffer.concat(parts).length, value.bytes)
          objects.set(key.slice('log/t/'.length), Buffer.concat(parts))
        }
        const opened = openCheckpoint(objects.get('checkpoint') ?? Buffer.alloc(0), keysOf(world))
        assert.ok('checkpoint' in opened)
        const bundles = [...objects].filter(([name]) => parseTilePath(name)?.level === 'entries')
        // The first checkpoint's narrow tiles are gone with their full ones.
        assert.deepEqual(
          bundles.map(([name]) => name),
          ['tile/entries/000', `tile/entries/001.p/${opened.checkpoint.size - 256}`],
        )
        const leaves = bundles.flatMap(([, bytes]) => decodeBundle(bytes) ?? []).map(String)
        assert.deepEqual(opened.checkpoint.root, rootOf(leaves))
        assert.deepEqual(leaves, (await leavesOf(world)).slice(0, leaves.length))
        assert.equal(objects.get('tile/0/000')?.length, 8192)
        assert.equal(objects.get('tile/1/000.p/1')?.length, 32)
      },
      ({ server }, store) => [bucketPublication({ env: server.env, account: ACCOUNT, region: REGION }, store, 'log', 't')],
    )
  })
})

function read(files: MemoryFiles, path: string): string {
  const file = files.open(path, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  return bytes.toString()
}

// Where checkpoints go, so that someone who is not us holds what was signed: a topic, a file that grows by each, a bucket that holds the
// whole tree as a static log (c2sp.org/tlog-tiles). What this causes by calls is recorded and marked as caused.
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import type { CallRequest } from '../../engine/call.ts'
import type { Env } from '../../engine/env.ts'
import { parseArn } from '../../model/arn.ts'
import { contentDeduplicationId } from '../../model/deduplication.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { servicePrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import { TILE_WIDTH, type TileName, tilePath, tilesBetween } from '../../model/tlog/tiles.ts'
import type { PublishedTree, SignedTree } from '../../model/tlog/tree-rows.ts'
import type { Files } from '../../storage/files.ts'
import type { TreeStore } from '../../storage/tree.ts'

export interface Publication {
  readonly name: 'topic' | 'file' | 'bucket'
  /** What the settings name. */
  readonly target: string
  /** Rejects when it could not be brought there whole. What it returns is kept with the published size. */
  publish(checkpoint: SignedTree, published: PublishedTree): Promise<Partial<PublishedTree>>
}

/** Who publishes, to the policies of topic and bucket. */
export const TREE_SERVICE = 'sealcast.local'

export interface PublicationParts {
  readonly env: Env
  readonly account: string
  readonly region: string
}

export function topicPublication(parts: PublicationParts, topicArn: string): Publication {
  return {
    name: 'topic',
    target: topicArn,
    async publish({ note }) {
      const region = parseArn(topicArn)?.region ?? parts.region
      // Checkpoints are one row of messages.
      const ordered = { MessageGroupId: 'checkpoints', MessageDeduplicationId: contentDeduplicationId(note) }
      const input = { TopicArn: topicArn, Message: note, ...(isFifoName(topicArn) && ordered) }
      await invoke(parts, { service: 'sns', operation: 'Publish', region, host: `sns.${region}.amazonaws.com`, input })
      return {}
    },
  }
}

/** Appends: an auditor wants every checkpoint that was ever told, not only the last. The file may lie on a volume that only grows. */
export function filePublication(files: Files, path: string): Publication {
  return {
    name: 'file',
    target: path,
    async publish({ note }) {
      const isNew = !files.exists(path)
      const file = files.open(path, isNew ? 'create' : 'write')
      try {
        const end = file.size()
        const last = Buffer.alloc(1)
        // What was cut off in the middle of a line stays apart from what follows.
        const isTorn = end > 0 && (file.read(last, 0, 1, end - 1), last[0] !== 0x0a)
        const bytes = Buffer.from(isTorn ? `\n${note}` : note)
        for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, end + at)
        await file.syncLater()
      } finally {
        file.close()
      }
      if (isNew) await files.syncFolderLater(dirname(path))
      return {}
    },
  }
}

/** Tiles and leaves first, the checkpoint that speaks of them last. */
export function bucketPublication(parts: PublicationParts, store: TreeStore, bucket: string, prefix: string): Publication {
  return {
    name: 'bucket',
    target: `s3://${bucket}/${prefix}`,
    async publish({ note, size }, published) {
      const { env } = parts
      // A tree that was begun anew stands beside the one before, whose files are somebody's evidence.
      const generation = note.slice(0, note.indexOf('\n')).split('/')[2]
      const keyOf = (path: string): string => [prefix, generation, path].filter((part) => part !== undefined && part !== '').join('/')
      const region = env.tables.get(Table.buckets, bucket)?.region ?? parts.region
      const at = { service: 's3', region, host: `${bucket}.s3.${region}.amazonaws.com` }
      const put = (path: string, bytes: Buffer, type: string): Promise<void> =>
        invoke(parts, {
          ...at,
          operation: 'PutObject',
          input: { Bucket: bucket, Key: keyOf(path), ContentType: type, ContentLength: bytes.length },
          stream: Readable.from([bytes], { objectMode: false }),
        })
      const partials = [...published.partials]
      const full = new Set<string>()
      for (const name of tilesBetween(published.bucket, size)) {
        await put(tilePath(name), store.tile(name), 'application/octet-stream')
        if (name.width === TILE_WIDTH) full.add(stemOf(name))
        else partials.push(tilePath(name))
      }
      await put('checkpoint', Buffer.from(note), 'text/plain; charset=utf-8')
      const over = partials.filter((path) => full.has(path.slice(0, path.indexOf('.p/'))))
      for (const path of over) {
        // Where the bucket keeps what it has, partial tiles stay: no reader minds.
        await invoke(parts, { ...at, operation: 'DeleteObject', input: { Bucket: bucket, Key: keyOf(path) } }).catch(() => {})
      }
      return { partials: partials.filter((path) => !over.includes(path)) }
    },
  }
}

function stemOf(name: TileName): string {
  return tilePath({ ...name, width: TILE_WIDTH })
}

async function invoke(
  { env, account }: PublicationParts,
  request: Pick<CallRequest, 'service' | 'operation' | 'region' | 'host' | 'input' | 'stream'>,
): Promise<void> {
  const state = env.tables.get(Table.tree, 'state')
  const result = await env.invoke({
    ...request,
    requestId: env.random.uuid(),
    arrivedAt: env.clock.now(),
    sourceIp: TREE_SERVICE,
    userAgent: TREE_SERVICE,
    principal: servicePrincipal(TREE_SERVICE, account),
    causedByTree: state?.kind === 'state' ? state.origin : TREE_SERVICE,
  })
  if ('error' in result) throw result.error
}

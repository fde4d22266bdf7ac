// The tree over all events, opened: where its files lie, and where its checkpoints are published.
import { resolve } from 'node:path'
import type { Env } from '../engine/env.ts'
import { bucketPublication, filePublication, type Publication, topicPublication } from '../followers/tree/publication.ts'
import { openTree, type Tree } from '../followers/tree/tree.ts'
import { diskFiles } from '../storage/disk/files.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import type { TreeStore } from '../storage/tree.ts'
import { hasTreeFiles } from '../storage/tree/format.ts'
import { openPackedFiles } from '../storage/tree/packed-files.ts'
import type { HouseOptions } from './options.ts'
import { folderOf } from './stores.ts'

export function openServerTree({ config, data, account, purpose }: HouseOptions, env: Env): Promise<Tree> {
  const files = data === undefined ? memoryFiles() : diskFiles()
  const folder = data === undefined ? '/tree' : folderOf(data, 'tree')
  const parts = { env, account, region: config['regions.default'] }
  const { 'tree.topicArn': topicArn, 'tree.file': file, 'tree.bucket': bucket, 'tree.prefix': prefix } = config
  return openTree({
    env,
    hasFiles: hasTreeFiles(files, folder),
    openStore: (state) => openPackedFiles(files, folder, state),
    checkpointSeconds: purpose === 'serve' ? config['tree.checkpointSeconds'] : undefined,
    publications: (store: TreeStore): Publication[] => [
      ...(topicArn === undefined ? [] : [topicPublication(parts, topicArn)]),
      ...(file === undefined ? [] : [filePublication(diskFiles(), resolve(file))]),
      ...(bucket === undefined ? [] : [bucketPublication(parts, store, bucket, prefix)]),
    ],
  })
}

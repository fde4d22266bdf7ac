// needs: aws
// The AWS CLI, unchanged, with buckets: ls, cp, sync, mv and rm, with a file that it uploads and downloads in parts.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { outputOf } from './shell.ts'

const { server, folder } = await startFileServer()

const environment = awsEnvironment(server.url)

const aws = (...words: string[]): Promise<string> => outputOf('aws', words, { folder, environment })

test('the AWS CLI: mb, cp, sync, ls, mv, rm and rb, in parts where files are large', async () => {
  const local = (path: string): string => join(folder, path)
  const large = randomBytes(9 * 1024 * 1024)
  mkdirSync(local('here/sub'), { recursive: true })
  writeFileSync(local('here/large'), large)
  writeFileSync(local('here/sub/a b+\u00fc'), 'small')
  await aws('s3', 'mb', 's3://box')
  await aws('s3', 'sync', '--quiet', 'here', 's3://box/there')
  assert.match(await aws('s3', 'ls', 's3://box/there/'), /PRE sub\/\n.* 9437184 large\n/)
  await aws('s3', 'cp', '--quiet', 's3://box/there/large', 's3://box/copy')
  await aws('s3', 'mv', '--quiet', 's3://box/copy', 'back')
  assert.ok(readFileSync(local('back')).equals(large))
  writeFileSync(local('here/sub/a b+\u00fc'), 'changed, and longer')
  await aws('s3', 'sync', '--quiet', '--delete', 'here', 's3://box/there')
  await aws('s3', 'sync', '--quiet', 's3://box/there', 'again')
  assert.equal(readFileSync(local('again/sub/a b+\u00fc'), 'utf8'), 'changed, and longer')
  assert.ok(readFileSync(local('again/large')).equals(large))
  await aws('s3', 'rm', '--quiet', '--recursive', 's3://box')
  await aws('s3', 'rb', 's3://box')
})

// The digests of both trails at the end: those in the other S3 by our own reading of their format, those in own buckets by the AWS CLI
// where it is installed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { runProgram } from '../clients/shell.ts'
import { type BucketObject, checkDigests } from '../digest-check.ts'
import { awsEnvironment, runCommand, SERVER_REGION } from '../server.ts'
import { untilTrue } from '../until.ts'
import type { World } from './run.ts'

export interface ChainReport {
  /** Digests in the other S3 whose signatures hold and which list every log file there. */
  readonly outsideDigests: number
  /** Files and digests that `sealcast verify` read of a copy of the other S3, with nothing broken. */
  readonly verified: Readonly<Record<string, number>>
  /** What `aws cloudtrail validate-logs` says of the trail in own buckets; absent where it is not installed. */
  readonly validateLogs?: string
}

const isDigest = (key: string): boolean => key.includes('/CloudTrail-Digest/')

/** Rejects with what does not hold. */
export async function checkChains(cloudtrail: CloudTrail, { options, other, server, startedAt }: World): Promise<ChainReport> {
  await untilTrue('the last digest', () => [...other.files.keys()].some(isDigest))
  const { PublicKeyList = [] } = await cloudtrail.listPublicKeys({ StartTime: new Date(startedAt) })
  const keys = PublicKeyList.map(({ Value = new Uint8Array(), Fingerprint = '' }) => ({
    Value: Buffer.from(Value).toString('base64'),
    Fingerprint,
  }))
  const objects: readonly BucketObject[] = [...other.files.values()]
  const digests = checkDigests('away', objects, keys)
  const verified = await verifyCopy(objects, join(options.folder, 'copy'), server.url)
  const words = ['--region', SERVER_REGION, '--start-time', new Date(startedAt - 60_000).toISOString()]
  const trailArn = `arn:aws:cloudtrail:${SERVER_REGION}:000000000000:trail/own`
  const environment = awsEnvironment(server.url)
  if (spawnSync('aws', ['--version'], { stdio: 'ignore' }).status !== 0) return { outsideDigests: digests.length, verified }
  const validate = ['cloudtrail', 'validate-logs', '--trail-arn', trailArn, ...words]
  const { code, output, notes } = await runProgram('aws', validate, { folder: options.folder, environment })
  if (code !== 0) throw new Error(`validate-logs: ${output}${notes}`)
  return { outsideDigests: digests.length, verified, validateLogs: output.trim().split('\n').slice(-2).join('; ') }
}

async function verifyCopy(objects: readonly BucketObject[], folder: string, url: string): Promise<Readonly<Record<string, number>>> {
  for (const { key, body } of objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), body)
  }
  // A copy without metadata cannot prove its newest digest, and the trail still writes.
  const words = ['verify', folder, '--records', '--json', '--accept', 'digest-unproved', '--accept', 'logs-unsealed']
  const { code, output, notes } = await runCommand(words, awsEnvironment(url))
  if (code !== 0) throw new Error(`sealcast verify: ${output}${notes}`)
  return (JSON.parse(output) as { readonly counts: Readonly<Record<string, number>> }).counts
}

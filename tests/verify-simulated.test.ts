// slow: a server lives through thirty hours first
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parseDigestKey } from '../src/model/digest.ts'
import { parseVerifierKey } from '../src/model/tlog/signed-note.ts'
import { PublicKeys } from '../src/verify/public-keys.ts'
import type { VerifyReport } from '../src/verify/report.ts'
import type { Source } from '../src/verify/source.ts'
import { verify } from '../src/verify/verify.ts'
import type { BucketObject } from './digest-check.ts'
import { awsEnvironment, SERVER_REGION } from './server.ts'
import { SIMULATED_BUCKET, type SimulatedTrail, simulateTrail, TREE_BUCKET } from './simulated-trail.ts'
import { brokenIn } from './verify-world.ts'

type Objects = Map<string, BucketObject>

let trail: SimulatedTrail
let sound: Objects
let tree: Objects

async function check(objects: Objects, hasTree = true): Promise<VerifyReport> {
  const source: Source = {
    ...{ place: `s3://${SIMULATED_BUCKET}/`, bucket: SIMULATED_BUCKET, prefix: '' },
    async *list() {
      for (const name of [...objects.keys()].toSorted()) yield { name, bytes: 0 }
    },
    read: async (name) => objects.get(name)?.body,
    metadata: async (name) => objects.get(name)?.metadata,
  }
  const keys = new PublicKeys()
  assert.equal(keys.add(trail.publicKeys()), undefined)
  const input = {
    log: async (path: string) => tree.get(path)?.body,
    checkpoints: [],
    keys: trail.verifierKeys().flatMap((key) => parseVerifierKey(key) ?? []),
  }
  const options = { complete: new Set<string>(), tool: 'test', now: () => trail.until.getTime(), given: {} }
  return verify({ source, keys, ...(hasTree && { tree: input }), ...options })
}

/** What is broken after `tamper`, which gets the keys of digests of one chain and of log files, oldest first. */
async function tampered(tamper: (objects: Objects, digests: string[], logs: string[]) => void): Promise<string[]> {
  const objects: Objects = new Map([...sound].map(([key, object]) => [key, { ...object }]))
  const digests = [...sound.keys()].filter((key) => {
    const name = parseDigestKey(key)
    return name?.region === SERVER_REGION && !name.isBackfill
  })
  const logs = [...sound.keys()].filter((key) => key.includes(`/CloudTrail/${SERVER_REGION}/`))
  tamper(objects, digests, logs)
  return brokenIn(await check(objects))
}

const at = (keys: readonly string[], index: number): string => keys.at(index) ?? assert.fail(`no key ${index}`)

function edit(objects: Objects, key: string, change: (text: string) => string): void {
  const object = objects.get(key) ?? assert.fail(key)
  objects.set(key, { ...object, body: gzipSync(change(gunzipSync(object.body).toString())) })
}

describe('sealcast verify on thirty hours of a server', () => {
  before(async () => {
    trail = await simulateTrail({ hours: 30, hasTree: true })
    sound = new Map((await trail.objects()).map((object) => [object.key, object]))
    tree = new Map((await trail.objects(TREE_BUCKET)).map((object) => [object.key, object]))
  })
  after(() => trail.close())

  it('finds nothing broken, and every record in the tree', async () => {
    const report = await check(sound)
    assert.deepEqual(brokenIn(report), [])
    assert.deepEqual(
      report.findings.filter(({ code }) => !['chain-start', 'logs-unsealed', 'records-newer'].includes(code)),
      [],
    )
    assert.ok(report.counts.digests >= 54 && report.counts.backfills > 0)
    assert.equal(report.counts.digestsProved, report.counts.digests)
    assert.ok(report.counts.calls > 100, String(report.counts.calls))
    assert.ok(report.counts.records - report.counts.recordsProved <= 5)
  })

  it('names each tampering', async () => {
    let key = ''
    const named: [string, string[]][] = [
      ['log-edited', await tampered((objects, _digests, logs) => edit(objects, (key = at(logs, 5)), (text) => `${text} `))],
      ['log-missing', await tampered((objects, _digests, logs) => objects.delete((key = at(logs, 5))))],
      ['digest-signature', await tampered((objects, digests) => edit(objects, (key = at(digests, 5)), (text) => `${text} `))],
      ['digest-missing', await tampered((objects, digests) => objects.delete((key = at(digests, 5))))],
    ]
    for (const [code, broken] of named)
      assert.ok(
        broken.some((line) => line.startsWith(`${code} `)),
        `${code}: ${broken.join('; ')}`,
      )
    assert.ok(named.at(-1)?.[1].includes(`digest-missing ${key}`))
  })

  it('names the end that was cut off, by the tree alone', async () => {
    const broken = await tampered((objects, digests, logs) => {
      for (const name of [...digests.slice(-3), ...logs.slice(-6)]) objects.delete(name)
    })
    assert.ok(
      broken.some((line) => line.startsWith('truncated ')),
      broken.join('; '),
    )
  })

  it('reads the bucket itself with the settings of the AWS CLI, and asks it for the keys', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealcast-verify-'))
    try {
      const report = join(folder, 'report.json')
      const words = ['verify', `s3://${SIMULATED_BUCKET}`, '--tree', `s3://${TREE_BUCKET}`, '--report', report]
      // The server still writes: what comes behind the newest digest and checkpoint is proved by the next ones.
      const accepted = ['logs-unsealed', 'records-newer'].flatMap((code) => ['--accept', code])
      writeFileSync(join(folder, 'config'), '')
      const environment = {
        PATH: process.env['PATH'],
        ...awsEnvironment(trail.url),
        AWS_CONFIG_FILE: join(folder, 'config'),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'config'),
      }
      const keys = trail.verifierKeys().flatMap((key) => ['--key', key])
      const { code, output } = await new Promise<{ code: number; output: string }>((resolve) =>
        execFile(process.execPath, ['src/main.ts', ...words, ...accepted, ...keys], { env: environment }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
        ),
      )
      assert.equal(code, 0, output)
      assert.match(output, /all is proved/)
      assert.match(output, /digests, \d+ proved by signature/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { PublicKeys } from '../src/verify/public-keys.ts'
import type { VerifyReport } from '../src/verify/report.ts'
import {
  brokenIn,
  edit,
  fingerprintOf,
  makeKey,
  makeTrail,
  makeTree,
  signatureOf,
  sourceOf,
  START,
  type TrailFiles,
  type TreeFiles,
  verifyTrail,
} from './verify-world.ts'

const KEY = makeKey()
const at = (keys: readonly string[], index: number): string => keys.at(index) ?? assert.fail(`no key ${index}`)

/** What is broken after `tamper` in a trail of thirty hours. */
async function after(tamper: (trail: TrailFiles) => void): Promise<string[]> {
  const trail = makeTrail({ privateKey: KEY })
  tamper(trail)
  return brokenIn(await verifyTrail(trail))
}

describe('sealcast verify on digests and log files', () => {
  it('finds thirty sound hours sound', async () => {
    const report = await verifyTrail(makeTrail({ privateKey: KEY }), { hasRecords: true })
    assert.deepEqual(report.findings, [])
    assert.ok(report.clean)
    assert.deepEqual(
      { ...report.counts, bytes: 0 },
      {
        digests: 30,
        digestsProved: 30,
        backfills: 0,
        logs: 48,
        logsProved: 48,
        logsUnsealed: 0,
        bytes: 0,
        records: 144,
        leaves: 0,
        calls: 0,
        recordsProved: 0,
      },
    )
    assert.deepEqual(
      report.chains.map(({ digests, trail }) => [digests, trail]),
      [[30, 'all']],
    )
  })

  it('counts records that come twice, when it is asked to look into them', async () => {
    const trail = makeTrail({ hours: 3, privateKey: KEY })
    const [first, second] = [trail.objects.get(at(trail.logs, 0)), trail.objects.get(at(trail.logs, 1))]
    assert.ok(first !== undefined && second !== undefined)
    second.bytes = first.bytes
    const { findings } = await verifyTrail(trail, { hasRecords: true })
    assert.match(findings.find(({ code }) => code === 'duplicates')?.what ?? '', /^3 records/)
  })

  it('names a log file that was edited', async () => {
    let key = ''
    const broken = await after((trail) => edit(trail, (key = at(trail.logs, 20)), (text) => text.replace('CreateTopic', 'DeleteTopic')))
    assert.deepEqual(broken, [`log-edited ${key}`])
  })

  it('names a log file that was deleted', async () => {
    let key = ''
    assert.deepEqual(await after(({ logs, objects }) => objects.delete((key = at(logs, 20)))), [`log-missing ${key}`])
  })

  it('names a digest that was edited, by its signature and by the next', async () => {
    let key = ''
    const broken = await after((trail) =>
      edit(trail, (key = at(trail.digests, 10)), (text) => text.replace('"logFiles":[{', '"logFiles": [{')),
    )
    assert.deepEqual(new Set(broken), new Set([`digest-signature ${key}`, `digest-edited ${key}`]))
  })

  it('names a digest in the middle that was deleted, and with it log files without one', async () => {
    let keys: string[] = []
    const broken = await after(({ digests, objects, logs }) => {
      keys = [at(digests, 10), ...logs.slice(16, 18)]
      objects.delete(keys[0] ?? '')
    })
    assert.ok(broken.includes(`digest-missing ${keys[0]}`))
  })

  it('counts two neighbouring digests that were deleted', async () => {
    let key = ''
    const trail = makeTrail({ privateKey: KEY })
    trail.objects.delete(at(trail.digests, 10))
    trail.objects.delete((key = at(trail.digests, 11)))
    const report = await verifyTrail(trail)
    const missing = report.findings.filter(({ code }) => code === 'digest-missing')
    assert.equal(missing[0]?.file, key)
    assert.match(missing[1]?.what ?? '', /^1 more digest is missing between /)
  })

  it('names a digest that was signed again with another key', async () => {
    let key = ''
    const broken = await after((trail) => {
      const other = makeKey()
      const object = trail.objects.get((key = at(trail.digests, 10)))
      assert.ok(object !== undefined)
      edit(trail, key, (text) => text.replace(fingerprintOf(KEY), fingerprintOf(other)))
      object.metadata = signatureOf(gunzipSync(object.bytes), other)
    })
    assert.deepEqual(new Set(broken), new Set([`digest-key ${key}`, `digest-edited ${key}`]))
    const sameFingerprint = await after((trail) => {
      const object = trail.objects.get((key = at(trail.digests, -1)))
      assert.ok(object !== undefined)
      object.metadata = signatureOf(gunzipSync(object.bytes), makeKey())
    })
    assert.deepEqual(sameFingerprint, [`digest-signature ${key}`])
  })

  it('names files that were swapped, log files and digests', async () => {
    for (const kind of ['logs', 'digests'] as const) {
      let keys: string[] = []
      const broken = await after((trail) => {
        keys = [at(trail[kind], 10), at(trail[kind], 15)]
        const [first, second] = keys.map((key) => trail.objects.get(key))
        assert.ok(first !== undefined && second !== undefined)
        trail.objects.set(keys[0] ?? '', second).set(keys[1] ?? '', first)
      })
      const code = kind === 'logs' ? 'log-swapped' : 'digest-moved'
      for (const key of keys) assert.ok(broken.includes(`${code} ${key}`), `${kind}: ${broken.join(', ')}`)
    }
  })

  it('names files that were backdated', async () => {
    let key = ''
    const renamed = await after(({ objects, logs }) => {
      const object = objects.get(at(logs, 20))
      assert.ok(object !== undefined)
      key = at(logs, 20).replace(/T\d{4}Z_/, 'T0001Z_')
      objects.set(key, object)
      objects.delete(at(logs, 20))
    })
    assert.ok(renamed.includes(`log-moved ${key}`), renamed.join())
    const added = await after(({ objects, logs }) => {
      const object = objects.get(at(logs, 20))
      assert.ok(object !== undefined)
      key = at(logs, 10).replace(/Z_\w{16}/, 'Z_aaaaaaaaaaaaaaaa')
      objects.set(key, { ...object, bytes: gzipSync('{"Records":[]}') })
    })
    assert.deepEqual(added, [`log-unnamed ${key}`])
    const digest = await after(({ objects, digests }) => {
      const object = objects.get(at(digests, 12))
      assert.ok(object !== undefined)
      key = at(digests, 12).replace(/T\d{6}Z/, 'T000131Z')
      objects.set(key, object)
      objects.delete(at(digests, 12))
    })
    assert.ok(digest.includes(`digest-moved ${key}`))
  })

  it('names the end that was cut off, when it is told how far the record should reach', async () => {
    const trail = makeTrail({ privateKey: KEY })
    for (const key of [...trail.digests.slice(-5), ...trail.logs.slice(-8)]) trail.objects.delete(key)
    const report = await verifyTrail(trail, { to: START + 30 * 3_600_000 })
    assert.deepEqual(brokenIn(report), [`truncated ${at(trail.digests, -6)}`])
  })

  it('proves all but the newest digest of a folder that lost its metadata', async () => {
    const trail = makeTrail({ privateKey: KEY })
    const folder = { bucket: undefined, place: '/copy', metadata: async () => undefined }
    const report = await verifyTrail(trail, { source: { ...sourceOf(trail), ...folder } as never })
    assert.deepEqual(brokenIn(report), [])
    assert.equal(report.counts.digestsProved, 29)
    assert.deepEqual(
      report.findings.map(({ code, file }) => [code, file]),
      [['digest-unproved', at(trail.digests, -1)]],
    )
    edit(trail, at(trail.digests, 10), (text) => `${text} `)
    const changed = await verifyTrail(trail, { source: { ...sourceOf(trail), ...folder } as never })
    assert.deepEqual(brokenIn(changed), [`digest-edited ${at(trail.digests, 10)}`])
  })

  it('says when there is nothing to go by', async () => {
    const trail = makeTrail({ hours: 2, privateKey: KEY })
    assert.deepEqual(brokenIn(await verifyTrail(trail, { keys: new PublicKeys() })), ['no-keys s3://logs'])
    for (const key of trail.digests) trail.objects.delete(key)
    assert.deepEqual(brokenIn(await verifyTrail(trail)), ['no-digests s3://logs'])
    trail.objects.clear()
    assert.deepEqual(brokenIn(await verifyTrail(trail)), ['nothing s3://logs'])
  })

  it('takes any bytes for a file and tells of them', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      fc.uint8Array({ maxLength: 300 }).map((array) => gzipSync(array)),
      fc.json().map((text) => gzipSync(text)),
      fc.constant(gzipSync('['.repeat(200_000))),
      fc.constant(gzipSync(Buffer.alloc(1 << 24))),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(100), bytes, fc.boolean(), async (pick, content, isDigest) => {
        const trail = makeTrail({ hours: 6, privateKey: KEY })
        const keys = isDigest ? trail.digests : trail.logs
        const object = trail.objects.get(at(keys, pick % keys.length))
        assert.ok(object !== undefined)
        object.bytes = content
        assert.ok(!(await verifyTrail(trail)).clean)
      }),
      { numRuns: 25 },
    )
    const document = fc.anything()
    fc.assert(fc.property(document, (value) => void new PublicKeys().add(value)))
  })
})

describe('sealcast verify on the tree', () => {
  const withTree = async (
    tamper: (trail: TrailFiles, tree: TreeFiles) => void = () => {},
    more: { complete?: ReadonlySet<string>; older?: readonly number[] } = {},
  ): Promise<VerifyReport> => {
    const trail = makeTrail({ privateKey: KEY, perHour: 4 })
    const tree = makeTree(trail.events)
    const checkpoints = (more.older ?? []).map((size) => ({ from: `kept ${size}`, note: tree.sign(size) }))
    tamper(trail, tree)
    const input = { log: async (path: string) => tree.files.get(path), checkpoints, keys: [tree.signer] }
    return verifyTrail(trail, { tree: input, ...(more.complete !== undefined && { complete: more.complete }) })
  }

  it('finds each record among the leaves, and every checkpoint true', async () => {
    const report = await withTree(() => {}, { older: [0, 1, 100, 256, 288] })
    assert.deepEqual(report.findings, [])
    assert.deepEqual([report.counts.leaves, report.counts.records, report.counts.recordsProved], [288, 288, 288])
  })

  it('names the end that was cut off, though all that is left is sound', async () => {
    const report = await withTree((trail) => {
      for (const key of [...trail.digests.slice(-3), ...trail.logs.slice(-8)]) trail.objects.delete(key)
    })
    assert.deepEqual(brokenIn(report), ['truncated 111122223333/eu-west-1'])
    assert.match(report.findings[0]?.what ?? '', /are in the tree, and no file reaches so far/)
  })

  it('names a record that is not in the tree, and events in no file', async () => {
    const report = await withTree((trail) => edit(trail, at(trail.logs, 3), (text) => text.replace('"t1"', '"t9"')))
    assert.deepEqual(
      new Set(report.findings.map(({ code, grade }) => `${grade} ${code}`)),
      new Set(['broken log-edited', 'broken record-unknown', 'unproved not-in-files']),
    )
    const deleted = await withTree((trail) => trail.objects.delete(at(trail.logs, 3)), { complete: new Set(['management']) })
    assert.deepEqual(new Set(deleted.findings.map(({ code }) => code)), new Set(['log-missing', 'not-in-files']))
  })

  it('names a tree that was cut or rewritten since a checkpoint', async () => {
    const cut = await withTree((_trail, { files }) => files.delete('tile/entries/001.p/32'))
    assert.ok(brokenIn(cut).includes('tree-cut checkpoint'))
    const rewritten = await withTree(
      (_trail, { files }) => {
        const bundle = files.get('tile/entries/000') ?? assert.fail()
        bundle[bundle.length - 1] = bundle.at(-1) === 0x30 ? 0x31 : 0x30
      },
      { older: [100, 256] },
    )
    assert.ok(brokenIn(rewritten).includes('tree-rewritten checkpoint') && brokenIn(rewritten).includes('tree-rewritten kept 256'))
    assert.ok(!brokenIn(rewritten).includes('tree-rewritten kept 100'))
    const newer = await withTree(
      (trail, { files, signer, sign }) => {
        void trail
        void signer
        files.set('checkpoint', sign(200))
      },
      { older: [288] },
    )
    assert.deepEqual(brokenIn(newer), [])
  })

  it('counts the events of the calls that were served', async () => {
    const counted = (calls: number) =>
      withTree((_trail, { files, sign }) => {
        const lines = [`census leaves=10 calls=7 untold=2 further=1`, `census leaves=200 calls=${calls} untold=5 further=4`]
        files.set('checkpoint', sign(288, lines))
      })
    assert.deepEqual(brokenIn(await counted(197)), [])
    assert.equal((await counted(197)).counts.calls, 190)
    const report = await counted(199)
    assert.deepEqual(brokenIn(report), ['incomplete checkpoint'])
    assert.match(report.findings[0]?.what ?? '', /192 calls were served .* leave 192 events; the tree has 190/)
  })

  it("tells of a checkpoint that is not the server's", async () => {
    const stranger = makeTree([])
    const report = await withTree((_trail, { files }) => files.set('checkpoint', stranger.sign(0)))
    assert.ok(brokenIn(report).includes('checkpoint-key checkpoint'))
    const noise = await withTree((_trail, { files }) =>
      files.set('checkpoint', Buffer.from('noise')).set('tile/entries/000', Buffer.from('x')),
    )
    assert.deepEqual(new Set(brokenIn(noise).map((line) => line.split(' ')[0])), new Set(['checkpoint-unreadable', 'bundle-unreadable']))
  })
})

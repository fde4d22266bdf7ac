// A run of a backup over stores that turn under it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from '../../tests/harness.ts'
import { NO_ROOTS } from '../model/root-key.ts'
import { Table } from '../model/tables.ts'
import { sts } from '../services/sts/index.ts'
import type { BackupSink } from '../storage/backup.ts'
import { listGenerations, Packs, readFile, readManifest } from '../storage/backup/generations.ts'
import { dataKeysByRoot } from '../storage/backup/sealing.ts'
import { inlineSink } from '../storage/backup/sinks.ts'
import { memoryFiles, type MemoryFiles } from '../storage/memory/files.ts'
import { writeWholeFile } from '../storage/whole-files.ts'
import { createBackups } from './backup.ts'

function turn(files: MemoryFiles, number: number): void {
  for (const name of ['keyring.json', 'root.key']) writeWholeFile(files, `/data/${name}`, Buffer.from(`${name} ${number}`))
}

test('a root key that changes at any step of a backup leaves a keyring and a key of one moment in it', async () => {
  for (let step = 1; ; step++) {
    const { env, close } = await createHarness(() => ({ sts }))
    await env.commits.commit((tx) => tx.put(Table.acts, 'lineage', { kind: 'lineage', id: 'l', directory: 'd', number: 1, since: 0 })).done
    const files = memoryFiles()
    files.makeFolder('/data')
    turn(files, 1)
    files.makeFolder('/data/backup-staging/records')
    writeWholeFile(files, '/data/backup-staging/records/data.mdb', Buffer.from('of a run that a crash ended'))
    let steps = 0
    const turning = (sink: BackupSink): BackupSink => ({
      ...sink,
      async copy(listed, isFinal) {
        const gone: string[] = []
        for (const file of listed) {
          if (++steps === step) turn(files, 2)
          gone.push(...(await sink.copy([file], isFinal)))
        }
        return gone
      },
    })
    const backups = createBackups({
      ...{ env, files, folder: '/data', version: '1', dataFormat: 1, hold: () => () => {}, idle: async () => {} },
      parts: [
        {
          name: 'part',
          phases: ['behind'],
          files: async () => [{ path: 'keyring.json', source: '/data/keyring.json', isLasting: false }],
        },
      ],
      openSink: () => turning(inlineSink(files)),
      sealing: () => undefined,
      takeLock: () => ({ release: () => {} }),
    })
    const options = { destination: '/backup', isFull: false, keep: undefined, withRootKey: true, signal: new AbortController().signal }
    assert.deepEqual(files.list('/data/backup-staging/records'), [])
    await backups.run(options)
    const [generation = 0] = listGenerations(files, '/backup')
    const manifest = readManifest(files, '/backup', generation, dataKeysByRoot(NO_ROOTS))
    const packs = new Packs(files, '/backup', manifest.keys)
    const turns = manifest.files.map(
      (entry) =>
        Buffer.concat([...readFile(packs, entry)])
          .toString()
          .split(' ')[1],
    )
    packs.close()
    await close()
    assert.equal(new Set(turns).size, 1, `step ${step}: ${turns.join()}`)
    assert.equal(turns.length, 2)
    if (steps < step) return assert.ok(step > 3)
  }
})

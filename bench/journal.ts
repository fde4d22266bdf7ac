// What does one append to the journal cost, and how long does it wait for its flush? CPU of the whole process (all threads, kernel
// included) per append of 2.5 KB frames, and the main thread's share, with 1, 32 and 256 appends in flight.
// Run: node bin/node26.js bench/journal.ts [milliseconds per row] [folder]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { systemRandom } from '../src/base/random.ts'
import { diskFiles } from '../src/storage/disk/files.ts'
import { memoryFiles } from '../src/storage/memory/files.ts'
import { openJournal, type SegmentedJournal } from '../src/storage/segments/journal.ts'

const PAYLOAD_BYTES = 2500
const KEPT_BYTES = 256 * 1024 * 1024
const rowMs = Number(process.argv[2] ?? 2000)
const parent = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'sealcast-bench-'))

interface Row {
  readonly appends: number
  readonly cpu: number
  readonly mainCpu: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

try {
  for (const writer of ['thread', 'inline', 'memory'] as const) {
    const files = writer === 'memory' ? memoryFiles() : diskFiles()
    const folder = writer === 'memory' ? '/journal' : join(parent, writer)
    const options = { files, folder, random: systemRandom(), clock: systemClock }
    const journal = await openJournal({ ...options, writer: writer === 'thread' ? 'thread' : 'inline' })
    journal.onDurable((frames) => journal.trim((frames[0]?.position ?? 0) - KEPT_BYTES))
    await run(journal, 32, Math.min(1000, rowMs))
    for (const inFlight of [1, 32, 256, 1, 32, 256]) print(writer, inFlight, await run(journal, inFlight, rowMs))
    await journal.close()
  }
} finally {
  rmSync(parent, { recursive: true, force: true })
}

function run(journal: SegmentedJournal, inFlight: number, milliseconds: number): Promise<Row> {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'sealcast ')
  const waits: number[] = []
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  const mainCpu = process.threadCpuUsage()
  let appends = 0
  return new Promise((resolve) => {
    let running = 0
    const append = (): void => {
      running++
      const at = performance.now()
      journal.append(payload, 1, (failure) => {
        if (failure) throw failure
        const now = performance.now()
        waits.push(now - at)
        appends++
        running--
        if (now - startedAt < milliseconds) return append()
        if (running > 0) return
        waits.sort((a, b) => a - b)
        resolve({
          appends,
          cpu: total(process.cpuUsage(cpu)),
          mainCpu: total(process.threadCpuUsage(mainCpu)),
          seconds: (now - startedAt) / 1000,
          p50: waits[waits.length >> 1] ?? 0,
          p99: waits[Math.floor(waits.length * 0.99)] ?? 0,
        })
      })
    }
    for (let index = 0; index < inFlight; index++) append()
  })
}

function total({ user, system }: { user: number; system: number }): number {
  return user + system
}

function print(writer: string, inFlight: number, row: Row): void {
  const us = (value: number): string => (value / row.appends).toFixed(1).padStart(6)
  const rate = Math.round(row.appends / row.seconds)
  process.stdout.write(
    `${writer.padEnd(6)} ${String(inFlight).padStart(3)} in flight: ${us(row.cpu)} us CPU an append, ` +
      `${us(row.mainCpu)} on the main thread; ${String(rate).padStart(6)}/s, p50 ${row.p50.toFixed(2)} ms, p99 ${row.p99.toFixed(2)} ms\n`,
  )
}

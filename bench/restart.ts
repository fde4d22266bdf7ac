// Question: how long does a server take to be ready after a crash, with a million messages waiting in a queue?
//   node bin/node26.js bench/restart.ts [--messages 1000000] [--json]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { memoryMb, startScript, startSealcast } from './load/processes.ts'

const { values } = parseArgs({ options: { messages: { type: 'string' }, json: { type: 'boolean' } } })
const messages = Number(values.messages ?? 1_000_000)
const TRIES = 3
const KEY = { SEALCAST_ROOT_ACCESS_KEY_ID: 'AKIABENCHBENCHBENCHB', SEALCAST_ROOT_SECRET_ACCESS_KEY: 'bench-secret-of-no-worth-at-all' }

const folder = mkdtempSync(join(tmpdir(), 'sealcast-restart-'))
try {
  const data = join(folder, 'data')
  const filling = await startScript(join(import.meta.dirname, 'restart', 'fill.ts'), [data, String(messages)], KEY)
  await new Promise<void>((resolve) => {
    filling.child.once('exit', () => resolve())
    filling.child.kill('SIGKILL')
  })
  const readyMs: number[] = []
  let residentMb = 0
  for (let at = 0; at < TRIES; at++) {
    const started = performance.now()
    const { child } = await startSealcast(data, KEY)
    readyMs.push(performance.now() - started)
    residentMb = memoryMb(child.pid ?? 0)
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  }
  const result = { messages, readyMs: readyMs.map(Math.round), residentMb: Math.round(residentMb) }
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify(result)}\n`
      : `${messages} messages waiting, after SIGKILL: ready after ${result.readyMs.join(', ')} ms, ${result.residentMb} MiB resident\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { COMMAND_BOUNDS, type CommandBounds, runLocalCommand } from './local-command.ts'

const NODE = process.execPath
const run = (program: string, input = '{}', bounds: Partial<CommandBounds> = {}, environment: Record<string, string> = {}) =>
  runLocalCommand(systemClock, { argv: [NODE, '-e', program], environment }, input, { ...COMMAND_BOUNDS, ...bounds })

test('the text comes on standard input, and the exit code is what counts', async () => {
  const reads = 'let t = ""; process.stdin.on("data", (d) => (t += d)).on("end", () => process.exit(t === "ä".repeat(300000) ? 0 : 7))'
  assert.deepEqual(await run(reads, 'ä'.repeat(300_000)), { kind: 'done' })
  assert.deepEqual(await run(reads, 'else'), { kind: 'failed', reason: 'exit code 7' })
  // It need not read what it is given.
  assert.deepEqual(await run('process.exit(0)', 'x'.repeat(1_000_000)), { kind: 'done' })
  assert.deepEqual(await run('process.kill(process.pid, "SIGTERM")'), { kind: 'failed', reason: 'it ended by SIGTERM' })
})

test('no shell reads the words, and the environment is what is given', async () => {
  const words = ['$HOME; exit 3', '"*"']
  const program = `process.exit(process.argv.slice(1).join("|") === ${JSON.stringify(words.join('|'))} ? 0 : 9)`
  const command = { argv: [NODE, '-e', program, ...words], environment: {} }
  assert.deepEqual(await runLocalCommand(systemClock, command, ''), { kind: 'done' })
  const names = 'process.exit(Object.keys(process.env).join() === "ONLY" && process.env.ONLY === "this" ? 0 : 9)'
  assert.deepEqual(await run(names, '', {}, { ONLY: 'this' }), { kind: 'done' })
})

test('time, output and memory are bounded, of what it starts as well', async () => {
  const sleeps = 'setInterval(() => {}, 1000)'
  assert.deepEqual(await run(sleeps, '', { timeMs: 300 }), { kind: 'failed', reason: 'it took longer than 300 ms' })
  const bounded = await run('for (;;) require("fs").writeSync(2, "x".repeat(1024))', '', { outputBytes: 65_536 })
  assert.deepEqual(bounded, { kind: 'failed', reason: 'it wrote more than 65536 bytes' })
  const grows = 'const b = []; setInterval(() => b.push(Buffer.alloc(8e6, 1)), 2)'
  const child = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grows)}])`
  if (process.platform === 'linux')
    assert.deepEqual(await run(`${child}; ${sleeps}`, '', { memoryBytes: 300e6, lookMs: 20 }), {
      kind: 'failed',
      reason: 'it took more than 300000000 bytes of memory',
    })
})

test('what it leaves running is ended with it and holds nobody up; what cannot be started says so', async () => {
  const leaves = `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" })
    .on("spawn", () => process.exit(0))`
  assert.deepEqual(await run(leaves, '', { timeMs: 5000 }), { kind: 'done' })
  const missing = await runLocalCommand(systemClock, { argv: ['/no/such/program'], environment: {} }, '')
  assert.deepEqual(missing, { kind: 'unstarted', reason: 'it cannot be started (ENOENT)' })
})

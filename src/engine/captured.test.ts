import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHarness } from '../../tests/harness.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import { type Captured, type CapturedOptions, createCaptured } from './captured.ts'

async function inbox(t: TestContext, options: Partial<CapturedOptions> = {}) {
  const parts = { files: memoryFiles(), records: memoryRecords() }
  const { env, clock, close } = await createHarness(() => ({}), parts)
  t.after(() => close())
  return { env, clock, captured: createCaptured({ ...env, ...options }), again: () => createCaptured({ ...env, ...options }) }
}

const mail = (to: string, body = 'text') => ({ protocol: 'email', to, body, messageId: `of ${to}` })
const bodies = async (captured: Captured, filter = {}, max = 10) => (await captured.list(filter, max)).map(({ body }) => body)

test('what is kept is listed oldest first, by whom it is for, by protocol, and behind an id', async (t) => {
  const { captured } = await inbox(t)
  await captured.keep(mail('bob@example.com', '1'))
  await captured.keep({ ...mail('+15555550100', '2'), protocol: 'sms' })
  await captured.keep(mail('Bob@Example.com', '3'))
  const all = await captured.list({}, 10)
  assert.deepEqual(
    all.map(({ body }) => body),
    ['1', '2', '3'],
  )
  assert.deepEqual(all[0], { id: 1, at: '2026-01-02T03:04:05.000Z', ...mail('bob@example.com', '1') })
  assert.deepEqual(await bodies(captured, { to: 'bob@example.com' }), ['1', '3'])
  assert.deepEqual(await bodies(captured, { protocol: 'sms' }), ['2'])
  assert.deepEqual(await bodies(captured, { after: 1 }), ['2', '3'])
  assert.deepEqual(await bodies(captured, {}, 2), ['2', '3'])
})

test('the oldest go, beyond a number and beyond a size', async (t) => {
  const { captured } = await inbox(t, { messagesMax: 3, bytesMax: 20_000 })
  for (const body of ['1', '2', '3', '4']) await captured.keep(mail('a@example.com', body))
  assert.deepEqual(await bodies(captured), ['2', '3', '4'])
  await captured.keep(mail('a@example.com', 'x'.repeat(12_000)))
  assert.deepEqual((await bodies(captured)).length, 3)
  await captured.keep(mail('a@example.com', 'y'.repeat(12_000)))
  assert.deepEqual(await bodies(captured), ['y'.repeat(12_000)])
})

test('it is there after a restart, and lies sealed', async (t) => {
  const { captured, env, again } = await inbox(t)
  await captured.keep(mail('bob@example.com', 'a very secret text'))
  assert.deepEqual(await bodies(again(), { to: 'bob@example.com' }), ['a very secret text'])
  const frames = await env.journal.read(0, 1 << 20)
  const stored = Buffer.concat(frames.map(({ payload }) => payload)).toString('latin1')
  assert.doesNotMatch(stored, /secret text|bob@/)
})

test('who waits is told at once, or after its time, and only of what it asked for', async (t) => {
  const { captured, clock } = await inbox(t)
  let told = false
  const waited = captured.wait({ to: 'bob@example.com' }, 5000).then(() => (told = true))
  await captured.keep(mail('alice@example.com'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told, false)
  await captured.keep(mail('bob@example.com'))
  await waited
  await captured.wait({ to: 'bob@example.com' }, 5000)
  const late = captured.wait({ to: 'carol@example.com' }, 5000)
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(5000)
  await late
})

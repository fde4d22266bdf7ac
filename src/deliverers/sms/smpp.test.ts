import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type SmppFault, type SmppServer, startSmppServer } from '../../../tests/smpp-server.ts'
import { untilTrue } from '../../../tests/until.ts'
import { SimulatedClock } from '../../base/clock.ts'
import { createOutbound } from '../../engine/outbound.ts'
import { textOf, textParts } from '../../model/sms-text.ts'
import type { Sent, Text } from './gateway.ts'
import { createSmpp } from './smpp.ts'

const CREDENTIALS = { user: 'shop', password: 'secret-8' }

interface World {
  readonly centre: SmppServer
  readonly clock: SimulatedClock
  readonly stopped: string[]
  refusal: Error | undefined
  send(text: string, more?: Partial<Text>): Promise<Sent>
}

async function world(t: TestContext, credentials = CREDENTIALS): Promise<World> {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 2))
  const centre = await startSmppServer(CREDENTIALS)
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'] })
  const stopped: string[] = []
  const state: { refusal: Error | undefined } = { refusal: undefined }
  const smpp = createSmpp({
    ...{ clock, outbound, host: '127.0.0.1', port: centre.port, isTls: false, credentials },
    optedOut: (number) => {
      if (state.refusal !== undefined) return Promise.reject(state.refusal)
      stopped.push(number)
      return Promise.resolve()
    },
  })
  t.after(async () => {
    await outbound.close()
    await centre.close()
  })
  return Object.assign(state, {
    ...{ centre, clock, stopped },
    send: (text: string, more: Partial<Text> = {}) =>
      smpp.send({
        ...{ to: '+15555550101', from: '+15550000', text, parts: textParts(text), type: 'Promotional', about: { messageId: 'm' } },
        ...more,
      }),
  })
}

const DELIVERED = { kind: 'delivered', status: 0 }

test('texts go over one bound connection, in the alphabet that holds them', async (t) => {
  const { centre, send } = await world(t)
  const ends = await Promise.all([
    send('hi {you} €'),
    send('привет'),
    send('x', { from: 'Acme', type: 'Transactional' }),
    send('x', { from: '12345' }),
  ])
  assert.deepEqual(ends, [DELIVERED, DELIVERED, DELIVERED, DELIVERED])
  assert.equal(centre.counts.binds, 1)
  const told = centre.submitted.map(({ from, fromTon, to, toTon, esmClass, priority, dataCoding, text }) => [
    ...[from, fromTon, to, toTon, esmClass, priority, dataCoding],
    textOf(dataCoding === 8 ? 'ucs2' : 'gsm7', text),
  ])
  assert.deepEqual(told, [
    ['15550000', 1, '15555550101', 1, 0, 0, 0, 'hi {you} €'],
    ['15550000', 1, '15555550101', 1, 0, 0, 8, 'привет'],
    ['Acme', 5, '15555550101', 1, 0, 1, 0, 'x'],
    ['12345', 3, '15555550101', 1, 0, 0, 0, 'x'],
  ])
})

test('a long text goes in parts that belong together, the same when it is sent again', async (t) => {
  const { centre, send, clock } = await world(t)
  const long = `${'long '.repeat(60)}€`
  assert.deepEqual(await send(long), DELIVERED)
  const headers = centre.submitted.map(({ text }) => [...text.subarray(0, 6)])
  const [, , , reference] = headers[0] ?? []
  assert.deepEqual(headers, [
    [5, 0, 3, reference, 2, 1],
    [5, 0, 3, reference, 2, 2],
  ])
  assert.equal(centre.submitted.map(({ text }) => textOf('gsm7', text.subarray(6))).join(''), long)
  assert.ok(centre.submitted.every(({ esmClass }) => esmClass === 0x40))
  // The second part is too much at the moment: it alone comes again.
  let refused = 0
  centre.fault = ({ text }) => (text[5] === 2 && refused++ === 0 ? { kind: 'status', status: 0x58 } : undefined)
  const sending = send(long)
  await untilTrue('the second part is refused', () => refused === 1)
  await untilTrue('it waits for its next try', () => {
    clock.advance(1000)
    return centre.submitted.length === 5
  })
  assert.deepEqual(await sending, DELIVERED)
  assert.deepEqual(
    centre.submitted.slice(2).map(({ text }) => [text[3], text[5]]),
    [
      [reference, 1],
      [reference, 2],
      [reference, 2],
    ],
  )
})

test('statuses: what is too much, what is final, and what may work later', async (t) => {
  const { centre, send } = await world(t)
  const ends = async (status: number) => {
    centre.fault = () => ({ kind: 'status', status })
    const outcome = await send('x')
    return [outcome.kind, 'reason' in outcome ? outcome.reason : '']
  }
  const text = (status: string) => `the SMS provider answered with SMPP status 0x${status}`
  assert.deepEqual(await ends(0x58), ['retry', text('00000058')])
  assert.deepEqual(await ends(0x14), ['retry', text('00000014')])
  assert.deepEqual(await ends(0x08), ['retry', text('00000008')])
  assert.deepEqual(await ends(0x64), ['retry', text('00000064')])
  assert.deepEqual(await ends(0x0b), ['refused', text('0000000B')])
  assert.deepEqual(await ends(0x65), ['refused', text('00000065')])
  assert.deepEqual(await ends(0x45), ['retry', text('00000045')])
  assert.deepEqual(await ends(0x0401), ['retry', text('00000401')])
  const wrong = await world(t, { user: 'shop', password: 'wrong' })
  assert.deepEqual(await wrong.send('x'), {
    ...{ kind: 'retry', status: 0x0e, reason: 'the SMS provider does not let us in: SMPP status 0x0000000E' },
  })
})

test('connections that are reset, answers that do not come, or are none: they come again, after 15 s at the latest', async (t) => {
  for (const kind of ['reset', 'hang', 'drip', 'garbage', 'unbind'] as const) {
    const { centre, send, clock } = await world(t)
    let faults = 0
    centre.fault = (): SmppFault | undefined => (faults++ === 0 ? { kind } : undefined)
    const sending = send('x')
    await untilTrue('the text arrived', () => faults > 0)
    const isSlow = kind === 'hang' || kind === 'drip'
    if (isSlow) clock.advance(15_000)
    const reasons = { garbage: 'the answer was not understood', reset: 'the connection was closed before the answer' }
    const reason = isSlow ? 'no complete answer in time' : kind === 'garbage' ? reasons.garbage : reasons.reset
    assert.deepEqual(await sending, { kind: 'retry', reason: `the SMS provider: ${reason}` }, kind)
    assert.deepEqual(await send('again'), DELIVERED)
    assert.equal(centre.counts.binds, 2)
  }
})

test('the link is looked at when nothing is heard, and made again by itself when it ended', async (t) => {
  const { centre, send, clock } = await world(t)
  await send('x')
  clock.advance(30_000)
  await untilTrue('an enquiry', () => centre.counts.enquiries === 1)
  centre.fault = () => ({ kind: 'reset' })
  await send('x')
  await untilTrue('bound again', () => {
    clock.advance(1000)
    return centre.counts.binds === 2
  })
})

test('a reply that asks for no more texts is told; receipts and other replies are not', async (t) => {
  const here = await world(t)
  const { centre, stopped, send } = here
  await send('x')
  const latin = (text: string) => Buffer.from(text, 'latin1')
  const answered = async (sequence: number) => {
    await untilTrue('the answer', () => centre.answers.has(sequence))
    return centre.answers.get(sequence)
  }
  assert.equal(await answered(centre.deliver('15555550101', latin(' Stop '))), 0)
  assert.equal(await answered(centre.deliver('15555550102', Buffer.from('ARRET', 'utf16le').swap16(), { dataCoding: 8 })), 0)
  assert.equal(await answered(centre.deliver('15555550103', latin('STOP'), { esmClass: 4 })), 0)
  assert.equal(await answered(centre.deliver('15555550104', latin('please stop'))), 0)
  assert.deepEqual(stopped, ['+15555550101', '+15555550102'])
  // What could not be kept is to come again.
  here.refusal = new Error('the disk is full')
  assert.equal(await answered(centre.deliver('15555550105', latin('STOP'))), 0x64)
})

// Digests from outside: hourly and chained, from the start of logging to its end, through crashes, refusing buckets and odd clocks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Table } from '../src/model/tables.ts'
import { INTERVAL_SECONDS, withWorld, type World } from './trail-world.ts'
import { digests, HOUR_SECONDS, startValidating, stride } from './digest-world.ts'

const windows = (read: readonly { readonly start: string; readonly end: string }[]): string[] =>
  read.map(({ start, end }) => `${start.slice(11, 19)} ${end.slice(11, 19)}`)

function createTopic({ call }: World, name: string): Promise<unknown> {
  return call('sns', 'CreateTopic', { Name: name })
}

function rows(world: World): readonly string[] {
  return world.server.env.tables.range(Table.digests, {}).map(({ value }) => value.kind)
}

test('an hourly chain, even when nothing happened, ends with the file of StopLogging and begins anew', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    await stride(world, HOUR_SECONDS)
    await createTopic(world, 'orders')
    await world.call('cloudtrail', 'StopLogging', { Name: 'all' })
    await stride(world, HOUR_SECONDS)
    let read = await digests(world)
    // The stop came 2 h 1 min after the start, and was seen at the next full minute.
    assert.deepEqual(windows(read), ['03:04:05 04:04:05', '04:04:05 05:04:05', '05:04:05 05:06:00'])
    assert.deepEqual(
      read.map(({ previous }) => previous),
      [null, read[0]?.key, read[1]?.key],
    )
    assert.deepEqual(
      read.map(({ logFiles }) => logFiles.length),
      [1, 0, 1],
    )
    await stride(world, HOUR_SECONDS)
    assert.equal((await digests(world)).length, 3, 'without logging there are none')
    assert.deepEqual(rows(world), ['region'])

    await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    read = await digests(world)
    assert.equal(read.at(-1)?.previous, null)
    const status = await world.status()
    assert.ok(status['LatestDigestDeliveryTime'] instanceof Date)
    assert.equal(status['LatestDigestDeliveryError'], undefined)
  }))

// What a deleted application leaves behind goes with the next sweep; what belongs to another stays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from '../../../../tests/harness.ts'
import { Table } from '../../../model/tables.ts'
import { createSns } from '../index.ts'
import { createEndpointSweep } from './sweep-endpoints.ts'

test('the rows of endpoints go when their application went, also under the same name', async (t) => {
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) }))
  t.after(() => server.close())
  const sweep = createEndpointSweep(server.env)
  const Attributes = { PlatformCredential: 'c' }
  const create = (Name: string) => server.call('sns', 'CreatePlatformApplication', { Name, Platform: 'GCM', Attributes })
  const join = async (name: string, Token: string): Promise<string> => {
    const { PlatformApplicationArn } = await create(name)
    return (await server.call('sns', 'CreatePlatformEndpoint', { PlatformApplicationArn, Token })).EndpointArn ?? ''
  }
  const rows = () => [Table.platformEndpoints, Table.endpointTokens].map((table) => server.env.tables.range(table, {}).length)
  const kept = await join('stays', 'a')
  await join('goes', 'b')
  await join('goes', 'c')
  await sweep()
  assert.deepEqual(rows(), [3, 3])
  const { PlatformApplicationArn } = await create('goes')
  await server.call('sns', 'DeletePlatformApplication', { PlatformApplicationArn })
  const fresh = await join('goes', 'b')
  await sweep()
  assert.deepEqual(rows(), [2, 2])
  for (const EndpointArn of [kept, fresh]) await server.call('sns', 'GetEndpointAttributes', { EndpointArn })
  assert.equal(await join('goes', 'b'), fresh, 'and its token still finds it')
})

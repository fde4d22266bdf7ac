// DeleteChannel: no event comes through it any more; those that came stay in the record.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { existingChannel, resolveChannel } from './existing-channel.ts'

export const deleteChannel: Operation<{ readonly Channel: string }, object> = {
  name: 'DeleteChannel',
  access: 'write',
  resource: (input, call) => resolveChannel(call, input.Channel),
  run(tx, input, call) {
    tx.delete(Table.channels, existingChannel(tx, call, input.Channel).channelArn)
    return {}
  },
}

// A queue's policy as AddPermission and RemovePermission leave it.
import type { Transaction } from '../../engine/transaction.ts'
import { readQueueAttributes } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import { withAttributeErrors } from './errors.ts'

/** `policy`: empty for none. Throws what SetQueueAttributes would. */
export function putQueuePolicy(tx: Transaction, queue: Queue, policy: string): void {
  const { Policy: _, ...others } = queue.attributes
  const attributes = policy === '' ? others : { ...others, ...withAttributeErrors(() => readQueueAttributes({ Policy: policy })) }
  tx.put(Table.queues, queue.queueArn, { ...queue, attributes, modifiedAt: tx.now })
}

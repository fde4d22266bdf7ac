// SendMessage: one message into one queue.
import { HIDDEN } from '../../engine/audit.ts'
import type { Operation } from '../../engine/operation.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'
import { checkMessage, type MessageInput, type SentMessage, stageMessage } from './sent-message.ts'

/** Members whose content is the sender's alone. */
export const HIDDEN_OF_MESSAGES = { MessageBody: HIDDEN, MessageAttributes: HIDDEN, MessageSystemAttributes: HIDDEN } as const

export const sendMessage: Operation<QueueInput & MessageInput, SentMessage> = {
  name: 'SendMessage',
  access: 'write',
  data: true,
  resource: queueArnOf,
  record: { hidden: HIDDEN_OF_MESSAGES, resources: queueResources },
  run(tx, input, call) {
    const queue = requireQueue(tx, input, call)
    return stageMessage(tx, queue, checkMessage(input, settingsOf(queue)), call)
  },
}

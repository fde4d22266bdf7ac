// The answer to a receive: bodies are read one after the other, so that it is known how large it becomes before it is in memory, and those
// of a large one are shown on turns of their own.
import type { Call } from '../../engine/operation.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import type { Queue } from '../../model/topic.ts'
import { type AnswerRoom, SMALL_ANSWER_BYTES } from './answer-room.ts'
import { type NotificationText, type ReceivedMessage, showTaken, type TakenMessage, type WantedNames } from './received-message.ts'

export interface ReceiveMessageOutput {
  /** Quirk: AWS leaves it out when there is none. */
  readonly Messages?: readonly ReceivedMessage[]
}

export interface TakenMessages {
  readonly queue: Queue
  readonly taken: readonly TakenMessage[]
}

interface Parts {
  readonly notificationText: NotificationText
  readonly room: AnswerRoom
}

/** At once where all of it is small and in memory. A message that was deleted since it was taken is left out. */
export function completeAnswer(
  { queue, taken }: TakenMessages,
  call: Call,
  names: WantedNames,
  parts: Parts,
): ReceiveMessageOutput | Promise<ReceiveMessageOutput> {
  const shown: (ReceivedMessage | Promise<ReceivedMessage>)[] = []
  const show = (message: TakenMessage, body: Buffer): void => {
    const one = showTaken(queue, message, body, names, call, parts.notificationText)
    // It is awaited with the others, after bodies that are still to be read.
    if (one instanceof Promise) one.catch(() => {})
    shown.push(one)
  }
  let bytes = 0
  for (const [at, message] of taken.entries()) {
    const body = bodyOf(queue, message, call)
    if (body === undefined) continue
    if (body instanceof Promise || bytes + body.length > SMALL_ANSWER_BYTES)
      return completeLater({ queue, taken: taken.slice(at) }, { body, bytes, show }, call, parts.room).then(() => together(shown))
    bytes += body.length
    show(message, body)
  }
  return together(shown)
}

function together(shown: readonly (ReceivedMessage | Promise<ReceivedMessage>)[]): ReceiveMessageOutput | Promise<ReceiveMessageOutput> {
  if (!shown.some((message) => message instanceof Promise)) return { Messages: shown as readonly ReceivedMessage[] }
  return Promise.all(shown.map(async (message) => message)).then((Messages) => ({ Messages }))
}

interface Begun {
  /** Of the first message. */
  readonly body: Buffer | Promise<Buffer>
  /** Of the messages before it. */
  readonly bytes: number
  readonly show: (message: TakenMessage, body: Buffer) => void
}

async function completeLater({ queue, taken }: TakenMessages, begun: Begun, call: Call, room: AnswerRoom): Promise<void> {
  let { bytes } = begun
  let give: (() => void) | undefined
  try {
    for (const [at, message] of taken.entries()) {
      const body = await (at === 0 ? begun.body : bodyOf(queue, message, call))
      if (body === undefined) continue
      bytes += body.length
      if (bytes > SMALL_ANSWER_BYTES) {
        // What is still to come may be as large as the queue takes.
        give ??= await room.enter(bytes + (taken.length - at - 1) * settingsOf(queue).maximumMessageBytes, call.env.clock)
        await new Promise((resolve) => setImmediate(resolve))
      }
      begun.show(message, body)
    }
  } finally {
    if (give !== undefined) giveWhenAnswered(call, give)
  }
}

/** The client has the whole answer, or has gone. */
function giveWhenAnswered({ patience }: Call, give: () => void): void {
  if (patience === undefined || patience.isOver) give()
  else patience.onceOver(give)
}

function bodyOf({ number }: Queue, { sequence }: TakenMessage, { env }: Call): Buffer | Promise<Buffer> | undefined {
  return env.queues.find(number, sequence) === undefined ? undefined : env.queues.body(number, sequence)
}

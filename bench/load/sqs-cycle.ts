// The life of SQS messages as a load: each connection sends, receives and deletes in turn, one message at a time or ten. What it
// deletes is what it received, so these requests are signed while the clock runs, in the load's own process.
import type { Conversation } from './load.ts'
import { type Signer, signRequest, sqsKind } from './requests.ts'

export interface CycleJob {
  readonly signer: Signer
  /** Taken in turn, one for each cycle. */
  readonly queueUrls: readonly string[]
  /** In each request: 1 or 10. */
  readonly messages: number
  readonly text: string
  /** Of a FIFO queue: its messages take so many groups in turn. */
  readonly groups?: { readonly name: string; readonly count: number }
  /** `cycle`, or only its sending part. */
  readonly only?: 'send'
}

interface Received {
  readonly Messages?: readonly { readonly ReceiptHandle: string }[]
}

/** Requests of a cycle that receives what it sent. */
export const CYCLE_REQUESTS = 3

export function createCycle(job: CycleJob): () => Conversation {
  const { signer, queueUrls, messages, only } = job
  const sent = { count: 0 }
  const run = `${process.pid}-${process.hrtime.bigint()}`
  let cycles = 0
  return () => {
    let step: 'send' | 'receive' | 'delete' = 'send'
    let QueueUrl = ''
    return (answer) => {
      if (step === 'delete') {
        const handles = ((answer === undefined ? {} : JSON.parse(answer.toString('utf8'))) as Received).Messages ?? []
        step = 'send'
        if (handles.length > 0) return signRequest(signer, sqsKind(deleteName(messages)), deleteBody(QueueUrl, handles, messages))
      }
      if (step === 'receive') {
        step = 'delete'
        return signRequest(signer, sqsKind('ReceiveMessage'), JSON.stringify({ QueueUrl, MaxNumberOfMessages: messages }))
      }
      QueueUrl = queueUrls[cycles++ % queueUrls.length] ?? ''
      if (only !== 'send') step = 'receive'
      return signRequest(signer, sqsKind(messages === 1 ? 'SendMessage' : 'SendMessageBatch'), sendBody(job, QueueUrl, sent, run))
    }
  }
}

function sendBody({ messages, text, groups }: CycleJob, QueueUrl: string, sent: { count: number }, run: string): string {
  const message = (): object => {
    const at = sent.count++
    const MessageBody = `${at} ${text}`.slice(0, text.length)
    if (groups === undefined) return { MessageBody }
    return { MessageBody, MessageGroupId: `${groups.name}-${at % groups.count}`, MessageDeduplicationId: `${run}-${at}` }
  }
  if (messages === 1) return JSON.stringify({ QueueUrl, ...message() })
  return JSON.stringify({ QueueUrl, Entries: Array.from({ length: messages }, (_, at) => ({ Id: `m${at}`, ...message() })) })
}

function deleteName(messages: number): string {
  return messages === 1 ? 'DeleteMessage' : 'DeleteMessageBatch'
}

function deleteBody(QueueUrl: string, handles: readonly { readonly ReceiptHandle: string }[], messages: number): string {
  if (messages === 1) return JSON.stringify({ QueueUrl, ReceiptHandle: handles[0]?.ReceiptHandle })
  return JSON.stringify({ QueueUrl, Entries: handles.map(({ ReceiptHandle }, at) => ({ Id: `m${at}`, ReceiptHandle })) })
}

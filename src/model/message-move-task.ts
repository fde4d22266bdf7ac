// Tasks that move the messages of a dead-letter queue on: what is kept of each, and the handle that clients know it by.

export type MoveTaskStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLING' | 'CANCELLED' | 'FAILED'

export interface MessageMoveTask {
  readonly taskId: string
  readonly sourceArn: string
  /** Number of the source: a queue made anew under the same name is another one. */
  readonly queue: number
  /** Absent: each message goes back to where it came from. */
  readonly destinationArn?: string
  readonly perSecondMax?: number
  readonly status: MoveTaskStatus
  /** AWS's code for it. */
  readonly failureReason?: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Messages that waited when the task began. */
  readonly toMove: number
  readonly moved: number
}

/** So many are kept of each source, the newest (SQS API Reference, "ListMessageMoveTasks"). */
export const MOVE_TASKS_KEPT = 10
/** SQS Developer Guide, "Learn how to configure a dead-letter queue redrive". */
export const MOVE_TASK_MS_MAX = 36 * 3_600_000
export const MOVES_PER_SECOND_MAX = 500

const TIME_DIGITS = 15

/** Tasks of one source lie together, the oldest first. */
export function moveTaskKey({ sourceArn, startedAt, taskId }: Pick<MessageMoveTask, 'sourceArn' | 'startedAt' | 'taskId'>): string {
  return `${moveTaskPrefix(sourceArn)}${String(startedAt).padStart(TIME_DIGITS, '0')}/${taskId}`
}

export function moveTaskPrefix(sourceArn: string): string {
  return `${sourceArn}/`
}

export function isActive({ status }: MessageMoveTask): boolean {
  return status === 'RUNNING' || status === 'CANCELLING'
}

export interface MoveTaskHandle {
  readonly taskId: string
  readonly sourceArn: string
}

export function formatTaskHandle({ taskId, sourceArn }: MoveTaskHandle): string {
  return Buffer.from(JSON.stringify({ taskId, sourceArn })).toString('base64')
}

/** Undefined for what is no handle. */
export function readTaskHandle(text: string): MoveTaskHandle | undefined {
  try {
    const { taskId, sourceArn } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Partial<Record<string, unknown>>
    return typeof taskId === 'string' && typeof sourceArn === 'string' ? { taskId, sourceArn } : undefined
  } catch {
    return undefined
  }
}

// Receipt handles: which message of which queue, and by which of its receives. Opaque to clients; nothing of it is kept, so a handle
// outlives a lost answer and a restart. The checksum is against accidents; what a handle may do is for the queue's permissions to say.
import { crc32 } from 'node:zlib'
import { invalidReceiptHandle } from './errors.ts'

export interface Receipt {
  readonly sequence: number
  readonly receives: number
}

const BODY_BYTES = 16
const BYTES = BODY_BYTES + 4
const VERSION = 1

export function formatReceiptHandle(queue: number, { sequence, receives }: Receipt): string {
  const bytes = Buffer.allocUnsafe(BYTES)
  bytes.writeUInt32LE(queue, 0)
  bytes.writeDoubleLE(sequence, 4)
  bytes.writeUInt32LE(receives, 12)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, BODY_BYTES), VERSION), BODY_BYTES)
  return bytes.toString('base64')
}

/** Throws ReceiptHandleIsInvalid for what is no handle of this queue. */
export function readReceiptHandle(queue: number, handle: string): Receipt {
  const bytes = Buffer.from(handle, 'base64')
  if (
    bytes.length !== BYTES ||
    bytes.readUInt32LE(0) !== queue ||
    bytes.readUInt32LE(BODY_BYTES) !== crc32(bytes.subarray(0, BODY_BYTES), VERSION) ||
    bytes.toString('base64') !== handle
  )
    throw invalidReceiptHandle(handle)
  return { sequence: bytes.readDoubleLE(4), receives: bytes.readUInt32LE(12) }
}

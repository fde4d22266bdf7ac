// Blobs whose removal can be put off for a while, so that what a backup has listed is there until it is copied. What a crash leaves behind
// is swept like every blob that nothing names.
import type { BlobId, Blobs } from './blobs.ts'

export interface HeldBlobs extends Blobs {
  /** Until the returned function is called, nothing is removed. */
  hold(): () => void
}

export function heldBlobs(blobs: Blobs): HeldBlobs {
  let holds = 0
  let waiting: BlobId[] = []
  return {
    write: (source, options) => blobs.write(source, options),
    read: (id, range) => blobs.read(id, range),
    list: () => blobs.list(),
    bytes: () => blobs.bytes(),
    async remove(id) {
      if (holds > 0) waiting.push(id)
      else await blobs.remove(id)
    },
    hold() {
      holds++
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        holds--
        if (holds > 0) return
        const removed = waiting
        waiting = []
        // One that cannot be removed is swept later.
        for (const id of removed) blobs.remove(id).catch(() => {})
      }
    },
  }
}

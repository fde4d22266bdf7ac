// The layout of a data directory and of the blobs in it, and nothing else: shared by who keeps them and by who verifies them.
import { join } from 'node:path'
import type { BlobId } from '../blobs.ts'

export const DATA_FORMAT = 1
export const ROOT_KEY_BYTES = 32

/** Where half-written blobs are, in the blobs' folder. */
export const NEW_BLOBS = 'new'

export function blobPath(folder: string, id: BlobId): string {
  return join(folder, id.slice(0, 2), id.slice(2, 3), id)
}

/** In the data directory: `{"format":1,"folder":...}`, where the archive is; from the data directory on where that is in it. */
export const ARCHIVE_POINTER = 'archive.json'
/** In the archive's folder: that it is one. */
export const ARCHIVE_MARK = 'sealcast-archive.json'
/** In the archive's folder: the bodies, as in the blobs' folder. */
export const ARCHIVE_BLOBS = 'bodies'

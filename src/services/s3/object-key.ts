// Which texts may be keys: any well-formed one of up to 1,024 bytes. A key is a name in the records and never a path on the disk.
import { versionsPrefix } from '../../model/object-version.ts'
import { RECORD_KEY_BYTES_MAX } from '../../storage/records.ts'
import { errors } from './errors.ts'

export const KEY_BYTES_MAX = 1024
/** Behind a key in the rows of its versions, its bucket's name before it. */
const ROW_BYTES = 128

/** Throws KeyTooLongError, and InvalidArgument for what is no text at all. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key)
  if (bytes > KEY_BYTES_MAX) throw errors.keyTooLong(bytes, KEY_BYTES_MAX)
  // A NUL takes two bytes in a row: only keys made of hundreds of them come here.
  if (Buffer.byteLength(versionsPrefix('', key)) > RECORD_KEY_BYTES_MAX - ROW_BYTES) throw errors.keyTooLong(bytes, KEY_BYTES_MAX)
  if (key === '' || !key.isWellFormed())
    throw errors.invalidArgument('key', key.toWellFormed(), 'A key is a text of 1 to 1024 bytes of UTF-8')
}

// The canonical user id by which S3 names an account in listings: 64 hexadecimal digits, the same for an account at all times.
import { createHash } from 'node:crypto'

export function canonicalUserId(account: string): string {
  return createHash('sha256').update(`sealcast canonical user ${account}`).digest('hex')
}

// JSON Web Tokens, as push services want them signed. Source: RFC 7515 (compact serialisation), RFC 7518 (ES256, RS256).
import { type KeyObject, sign } from 'node:crypto'

export function signedToken(
  algorithm: 'ES256' | 'RS256',
  key: KeyObject,
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): string {
  const text = [{ alg: algorithm, ...header }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
  return `${text}.${signature.toString('base64url')}`
}

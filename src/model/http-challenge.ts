// What an endpoint with a name and a password asks for (RFC 7616 Digest, RFC 7617 Basic), and the answer to it.
import { createHash } from 'node:crypto'

export interface ChallengedRequest {
  readonly method: string
  /** Path and query, as they were sent. */
  readonly uri: string
  readonly username: string
  readonly password: string
}

/** The Authorization header that the challenge (WWW-Authenticate) asks for; undefined where it asks for neither scheme. */
export function answerChallenge(challenge: string, request: ChallengedRequest): string | undefined {
  const digest = digestParameters(challenge)
  const answer = digest === undefined ? undefined : answerDigest(digest, request)
  if (answer !== undefined) return answer
  if (!/(?:^|,)\s*basic(?:\s|,|$)/i.test(challenge.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) return undefined
  return `Basic ${Buffer.from(`${request.username}:${request.password}`).toString('base64')}`
}

const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256' }
const PARAMETER = /\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y

function digestParameters(challenge: string): ReadonlyMap<string, string> | undefined {
  const start = /(?:^|,)\s*digest\s+/i.exec(challenge)
  if (start === null) return undefined
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = start.index + start[0].length
  for (let found = PARAMETER.exec(challenge); found !== null; found = PARAMETER.exec(challenge)) {
    const [, name = '', quoted, token = ''] = found
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token)
  }
  return parameters
}

/** Undefined where it wants an algorithm or a protection that is not known here. */
function answerDigest(asked: ReadonlyMap<string, string>, { method, uri, username, password }: ChallengedRequest): string | undefined {
  const [realm, nonce] = [asked.get('realm'), asked.get('nonce')]
  const name = asked.get('algorithm') ?? 'MD5'
  const hash = HASHES[name.toUpperCase()]
  const offered = asked.get('qop')?.split(',')
  const isProtected = offered !== undefined
  if (realm === undefined || nonce === undefined || hash === undefined) return undefined
  if (isProtected && !offered.some((each) => each.trim().toLowerCase() === 'auth')) return undefined
  const digest = (...parts: readonly string[]): string => createHash(hash).update(parts.join(':')).digest('hex')
  // A challenge is answered once: what makes the client's nonce is the server's, which nobody has to guess.
  const cnonce = digest(nonce, username, uri).slice(0, 16)
  const counted = isProtected ? [nonce, '00000001', cnonce, 'auth'] : [nonce]
  const response = digest(digest(username, realm, password), ...counted, digest(method, uri))
  const opaque = asked.get('opaque')
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
  return `Digest ${[
    `username=${quoted(username)}, realm=${quoted(realm)}, nonce=${quoted(nonce)}, uri=${quoted(uri)}`,
    `algorithm=${name}, response="${response}"`,
    ...(isProtected ? [`qop=auth, nc=00000001, cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ')}`
}

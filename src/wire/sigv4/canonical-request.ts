// The canonical request: what client and server both make of a request before they hash it, so that nothing that proxies may change counts.
import { percentEncode } from '../../model/percent-encoding.ts'
import { decodePath } from '../codecs/form.ts'
import type { Claim } from './claim.ts'
import type { SignatureStyle } from './errors.ts'
import { headerText, queryForm, type SignedRequest } from './signed-request.ts'

export function canonicalRequest(request: SignedRequest, claim: Claim, style: SignatureStyle, payloadHash: string): string {
  const { method, path, query, headers } = request
  let lines = `${method}\n${path === '/' ? path : canonicalPath(path, style)}\n${query === '' ? '' : canonicalQuery(query)}\n`
  for (const name of claim.signedNames) lines += `${name}:${tidy(headerText(headers[name]) ?? '')}\n`
  return `${lines}\n${claim.signedHeaders}\n${payloadHash}`
}

function tidy(value: string): string {
  return value.includes('  ') || value.includes('\t') ? value.replace(/[ \t]+/g, ' ').trim() : value
}

/** S3 signs the path once encoded and as it is; the others normalise it and encode it a second time. */
function canonicalPath(path: string, style: SignatureStyle): string {
  if (path === '') return '/'
  // Decoded and encoded again: clients need not send a path as escaped as they signed it.
  if (style === 's3')
    return path
      .split('/')
      .map((segment) => percentEncode(decodeOr(segment)))
      .join('/')
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(percentEncode(segment))
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  const { names, values } = queryForm(query)
  const pairs: string[] = []
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as string
    if (name !== 'X-Amz-Signature') pairs.push(`${percentEncode(name)}=${percentEncode(values[at] as string)}`)
  }
  // '=' sorts after '-', '.' and digits, so that a name that begins another must be compared apart from its value.
  return pairs
    .map((pair) => pair.replace('=', '\0'))
    .sort()
    .join('&')
    .replaceAll('\0', '=')
}

function decodeOr(path: string): string {
  try {
    return decodePath(path)
  } catch {
    return path
  }
}

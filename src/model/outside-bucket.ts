// Buckets of another S3 that the operator has made known, so that trails can write there: what is kept of them, and how their objects are
// addressed.
import { encodePath } from './percent-encoding.ts'

export interface OutsideBucket {
  /** Its name there, by which trails here name it too. */
  readonly name: string
  /** Scheme, host and port of the S3 endpoint. */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly sealedSecret: string
  /** The bucket stands in the path of URLs (path style), else in the host name (virtual-host style). */
  readonly isPathStyle: boolean
  /** Whose trails may write there. */
  readonly accounts: readonly string[]
  readonly connectedAt: number
}

/** Bears the mark of the server that sends the request, so that a server knows what it sends to itself, whatever way it came. */
export const SENDER_HEADER = 'x-sealcast-sender'
/** What it answers then. */
export const LOOP_DETECTED = 'LoopDetected'

/** What the sealed secret is bound to. */
export function outsideSecretContext(name: string): string {
  return `outside bucket ${name}`
}

const ENDPOINT_CHARS_MAX = 1024

/** Why the endpoint cannot be used, naming the remedy; undefined when it can. */
export function endpointProblem(text: string, isPathStyle: boolean): string | undefined {
  const url = text.length > ENDPOINT_CHARS_MAX ? null : URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'the endpoint must be an http or https URL, such as https://s3.eu-central-1.amazonaws.com'
  if (url.username !== '' || url.password !== '') return 'the endpoint must hold no user and password; give the access key apart'
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return 'the endpoint must be scheme, host and port alone, without a path'
  if (!isPathStyle && isAddress(url.hostname))
    return 'the endpoint is an address, before which no bucket name can stand; ask for path-style URLs'
  return undefined
}

function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)
}

/** Where the object lies; its path is encoded as a signature covers it. */
export function outsideObjectUrl({ name, endpoint, isPathStyle }: OutsideBucket, key: string): string {
  const { origin, protocol, host } = new URL(endpoint)
  return isPathStyle ? `${origin}/${name}/${encodePath(key)}` : `${protocol}//${name}.${host}/${encodePath(key)}`
}

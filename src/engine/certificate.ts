// X.509 certificates that we issue ourselves (RFC 5280), written as DER by hand since Node has no issuer of its own:
// the one beside the notification's signature, and those that tests listen with.
import { type KeyObject, createPublicKey, sign } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'

export interface CertificateRequest {
  /** Whom it names, as common name and as first alternative name. */
  readonly commonName: string
  /** Further host names and IP addresses. */
  readonly hosts?: readonly string[]
  readonly subjectKey: KeyObject
  /** Self-signed without one. */
  readonly issuer?: { readonly commonName: string; readonly key: KeyObject }
  /** May issue certificates itself; may not be what a server shows then. */
  readonly isAuthority?: boolean
  /** 16 bytes, unique per issuer. */
  readonly serial: Buffer
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
}

/** The certificate as PEM, signed with RSA and SHA-256. `subjectKey` MUST be private when there is no issuer. */
export function createCertificate(request: CertificateRequest): string {
  const { commonName, subjectKey, issuer, isAuthority = false } = request
  const publicKey = (subjectKey.type === 'private' ? createPublicKey(subjectKey) : subjectKey).export({ type: 'spki', format: 'der' })
  const algorithm = sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null))
  const body = sequence(
    der(TAG.context0, integer(Buffer.from([2]))),
    integer(request.serial),
    algorithm,
    name(issuer?.commonName ?? commonName),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(commonName),
    publicKey,
    der(TAG.context3, sequence(...extensions([commonName, ...(request.hosts ?? [])], isAuthority))),
  )
  const signature = sign('sha256', body, issuer?.key ?? subjectKey)
  const bytes = sequence(body, algorithm, der(TAG.bitString, Buffer.from([0]), signature))
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  ipAddress: 0x87,
  context0: 0xa0,
  context3: 0xa3,
} as const

function extensions(hosts: readonly string[], isAuthority: boolean): Buffer[] {
  const critical = der(TAG.boolean, Buffer.from([0xff]))
  const extension = (id: string, value: Buffer, ...flag: Buffer[]): Buffer => sequence(oid(id), ...flag, der(TAG.octetString, value))
  // Key usage bits, RFC 5280 4.2.1.3: keyCertSign and cRLSign for an authority, digitalSignature and keyEncipherment else.
  const usage = isAuthority ? Buffer.from([1, 0b0000_0110]) : Buffer.from([5, 0b1010_0000])
  return [
    extension('2.5.29.19', isAuthority ? sequence(critical) : sequence(), critical),
    extension('2.5.29.15', der(TAG.bitString, usage), critical),
    extension('2.5.29.17', sequence(...hosts.map(alternativeName))),
  ]
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 0) return der(TAG.dnsName, Buffer.from(domainToASCII(host), 'latin1'))
  return der(TAG.ipAddress, isIPv4(host) ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host))
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const words = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((word) => parseInt(word, 16))
  const before = words(head)
  const after = words(tail)
  const all = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  const bytes = Buffer.alloc(16)
  all.forEach((word, at) => bytes.writeUInt16BE(word, at * 2))
  return bytes
}

function name(commonName: string): Buffer {
  return sequence(der(TAG.set, sequence(oid('2.5.4.3'), der(TAG.utf8String, Buffer.from(commonName)))))
}

/** Two-digit years up to 2049, four-digit ones after (RFC 5280 4.1.2.5). */
function time(at: number): Buffer {
  const digits = `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return digits < '2050' ? der(TAG.utcTime, Buffer.from(digits.slice(2))) : der(TAG.generalizedTime, Buffer.from(digits))
}

/** A non-negative integer from its big-endian bytes, in the shortest form. */
function integer(bytes: Buffer): Buffer {
  let from = 0
  while (from < bytes.length - 1 && bytes[from] === 0) from++
  const shortest = bytes.subarray(from)
  return der(TAG.integer, ...((shortest[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), shortest)
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return der(TAG.oid, Buffer.from(bytes))
}

function sequence(...parts: Buffer[]): Buffer {
  return der(TAG.sequence, ...parts)
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const bytes: number[] = []
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff)
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content])
}

// Signature Version 4 by hand, after the IAM User Guide ("Create a signed AWS API request"), and bytes over a bare socket: requests that
// no SDK would send. Shares no code with what it is held against.
import { createHash, createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { ROOT_KEY, SERVER_REGION } from './server.ts'

export interface Unsigned {
  readonly method?: string
  readonly path?: string
  /** Without `?`, percent-encoded and in byte order. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly service?: string
  readonly region?: string
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Milliseconds since 1970; now when absent. */
  readonly at?: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const FORM = 'application/x-www-form-urlencoded; charset=utf-8'

/** The request's headers, signature included. */
export function signedHeaders(host: string, request: Unsigned): Readonly<Record<string, string>> {
  const { method = 'POST', path = '/', query = '', body = '', service = 'sns', region = SERVER_REGION, key = ROOT_KEY } = request
  const time = `${new Date(request.at ?? Date.now()).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const payload = createHash('sha256').update(body).digest('hex')
  const headers: Record<string, string> = {
    ...(method === 'POST' && { 'content-type': FORM }),
    ...request.headers,
    host,
    'x-amz-date': time,
    ...(service === 's3' && { 'x-amz-content-sha256': payload }),
  }
  const names = Object.keys(headers).toSorted()
  const canonicalHeaders = names.map((name) => `${name}:${(headers[name] ?? '').trim()}\n`).join('')
  const canonical = [method, path, query, canonicalHeaders, names.join(';'), payload].join('\n')
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest()
  const signingKey = [time.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`)
  const signature = createHmac('sha256', signingKey).update(toSign).digest('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...headers, authorization }
}

/** The bytes of a request, signed. */
export function signedBytes(port: number, request: Unsigned): Buffer {
  const { method = 'POST', path = '/', query = '', body = '' } = request
  const lines = Object.entries(signedHeaders(`127.0.0.1:${port}`, request)).map(([name, value]) => `${name}: ${value}\r\n`)
  const url = query === '' ? path : `${path}?${query}`
  const head = `${method} ${url} HTTP/1.1\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.concat([Buffer.from(`${head}connection: close\r\n\r\n`), Buffer.from(body)])
}

export function sendSigned(port: number, request: Unsigned): Promise<Answer> {
  return sendBytes(port, signedBytes(port, request))
}

/** Sends the bytes as they are; with `end`, closes its side behind them. Status 0: the server closed without an answer. */
export function sendBytes(port: number, bytes: Buffer | string, { end = false } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes)
      if (end) socket.end()
    })
    socket.setTimeout(30_000, () => socket.destroy(new Error('no answer in 30 s')))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('close', () => resolve(readAnswer(Buffer.concat(chunks).toString('utf8'))))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close while it is still being written to.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error)
    })
  })
}

function readAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers, body: rest.join('\r\n\r\n') }
}

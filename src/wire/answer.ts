// Answers on their way out, as node:http sends them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Log } from '../base/log.ts'

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string | Uint8Array | Readable
}

/** Sends an answer, unless the client has gone or has one already. */
export function sendAnswer(response: ServerResponse, method: string, { status, headers, body }: HttpResponse, log: Log): void {
  if (response.destroyed || response.headersSent) {
    if (body instanceof Readable) body.destroy()
    return
  }
  if (body instanceof Readable) {
    response.writeHead(status, headers)
    if (method === 'HEAD') {
      body.destroy()
      response.end()
      return
    }
    // A source that fails midway can only be told by cutting the connection, which pipeline does.
    void pipeline(body, response).catch((error: unknown) => log.warn('an answer was cut off', { error: String(error) }))
    return
  }
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  response.writeHead(status, headers['content-length'] !== undefined || status === 204 ? headers : withLength(headers, bytes))
  if (!hasBody) response.end()
  // As many bytes as characters: it is ASCII, which need not be encoded.
  else if (typeof body === 'string' && bytes === body.length) response.end(body, 'latin1')
  else response.end(body)
}

/** Names and values in turn, which node:http takes as they are. */
function withLength(headers: HttpResponse['headers'], bytes: number): (string | number)[] {
  const list: (string | number)[] = []
  for (const name in headers) list.push(name, headers[name] as string | number)
  list.push('content-length', bytes)
  return list
}

/** After a body that was not read to its end, no other request can follow on the connection. */
export function closing(answer: HttpResponse, request: IncomingMessage): HttpResponse {
  return request.complete ? answer : { ...answer, headers: { ...answer.headers, connection: 'close' } }
}

/** What is no HTTP never becomes a request. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

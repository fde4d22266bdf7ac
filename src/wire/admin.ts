// The operator's door: HTTP with JSON lines over a socket in the data directory, whose file mode says who may come in.
//   POST /<Operation>, body: the input as JSON, header x-sealcast-user: the operating system's user
//   answer: lines of {"value": ...}, at last {"done": true} or {"error": {"code", "message"}}
import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { http } from '../base/http.ts'
import { ServiceError } from '../model/service-error.ts'

export interface AdminCall {
  readonly operation: string
  readonly input: unknown
  readonly osUser: string
}

type Invoke = (call: AdminCall) => Promise<{ readonly output: unknown } | { readonly error: ServiceError }>

export interface AdminDoor {
  close(): Promise<void>
}

const UNKNOWN_FAILURE = new ServiceError('InternalError', 500, 'An internal error has occurred; the server log has more.')
const BODY_BYTES_MAX = 8 * 1024 * 1024

/** Listens on `path` (mode 0600). The holder of the data directory's lock may replace a socket that a crash left. */
export async function openAdminDoor(path: string, invoke: Invoke): Promise<AdminDoor> {
  rmSync(path, { force: true })
  const server = http.createServer((request, response) => {
    answer(request, response, invoke).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return { close: () => closeServer(server, path) }
}

async function answer(request: IncomingMessage, response: ServerResponse, invoke: Invoke): Promise<void> {
  // Somebody asks whether anybody is here.
  if (request.method === 'HEAD') {
    response.writeHead(204).end()
    return
  }
  const operation = (request.url ?? '/').slice(1)
  const osUser = String(request.headers['x-sealcast-user'] ?? 'unknown')
  response.writeHead(200, { 'content-type': 'application/jsonl' })
  try {
    const result = await invoke({ operation, input: await readInput(request), osUser })
    if ('error' in result) throw result.error
    await writeOutput(response, result.output)
    response.end(line({ done: true }))
  } catch (error) {
    const known = error instanceof ServiceError ? error : UNKNOWN_FAILURE
    response.end(line({ error: { code: known.code, message: known.message } }))
  }
}

async function writeOutput(response: ServerResponse, output: unknown): Promise<void> {
  if (!isLines(output)) {
    response.write(line({ value: output }))
    return
  }
  const lines = output.lines[Symbol.asyncIterator]()
  response.on('close', () => void lines.return?.())
  response.flushHeaders()
  for (;;) {
    const next = await lines.next()
    if (next.done === true || response.destroyed) return
    if (!response.write(line({ value: next.value }))) await new Promise<void>((resolve) => onceEither(response, resolve))
  }
}

function onceEither(response: ServerResponse, resolve: () => void): void {
  response.once('drain', resolve)
  response.once('close', resolve)
}

async function readInput(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new ServiceError('InvalidRequest', 400, `The body is larger than ${BODY_BYTES_MAX} bytes.`)
    chunks.push(chunk)
  }
  if (bytes === 0) return {}
  try {
    const input: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  } catch {
    // Answered below.
  }
  throw new ServiceError('InvalidRequest', 400, 'The body must be one JSON object.')
}

function isLines(output: unknown): output is { readonly lines: AsyncIterable<unknown> } {
  return typeof output === 'object' && output !== null && 'lines' in output && typeof output.lines === 'object'
}

function line(value: unknown): string {
  return `${JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))}\n`
}

async function closeServer(server: Server, path: string): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
  rmSync(path, { force: true })
}

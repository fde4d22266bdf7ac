// Another AWS service, as far as a caller can tell: takes requests whose signatures hold, refuses others as AWS does, and answers as the
// test says. Shares no code with who signs.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signedHeaders } from './sign.ts'

export interface AwsRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly service: string
  readonly region: string
}

export interface AwsService {
  readonly url: string
  /** Those whose signatures held, in order. */
  readonly requests: readonly AwsRequest[]
  /** Requests that were turned away for their signatures. */
  readonly refused: number
  /** Requests that came, whatever became of them. */
  readonly seen: number
  /** How requests are answered from now on; undefined: not at all. */
  answer: (request: AwsRequest, response: ServerResponse) => void
  close(): void
}

export const AWS_KEY = { accessKeyId: 'AKIAELSEWHERE0000001', secretAccessKey: 'the/secret+of-elsewhere' }
/** Signatures that are older are refused. */
const MINUTES_MAX = 15
const TARGET = /^\/2015-03-31\/functions\/|^\/$/

export async function openAwsService(answer: AwsService['answer'], { now = () => Date.now(), key = AWS_KEY } = {}): Promise<AwsService> {
  const requests: AwsRequest[] = []
  let refused = 0
  let seen = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen++
      const { url = '', headers } = request
      const [, region = '', service = ''] =
        /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '') ?? []
      const taken = { path: url, headers, body: Buffer.concat(chunks).toString('utf8'), service, region }
      const problem = signatureProblem(taken, key, now())
      if (problem !== undefined) {
        refused++
        return failing(403, problem)(taken, response)
      }
      requests.push(taken)
      opened.answer(taken, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const opened: AwsService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get refused() {
      return refused
    },
    get seen() {
      return seen
    },
    answer,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return opened
}

/** An answer that fails, as services that speak JSON fail. */
export function failing(status: number, code: string, headers: Readonly<Record<string, string>> = {}): AwsService['answer'] {
  return (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r-failed', ...headers })
      .end(JSON.stringify({ __type: `com.amazonaws.service#${code}`, message: 'no' }))
}

export function answering(body: object, status = 200, headers: Readonly<Record<string, string>> = {}): AwsService['answer'] {
  return (_request, response) => response.writeHead(status, { 'x-amzn-requestid': 'r-1', ...headers }).end(JSON.stringify(body))
}

/** The code that AWS refuses it with, or undefined. */
function signatureProblem({ path, headers, body, service, region }: AwsRequest, key: typeof AWS_KEY, now: number): string | undefined {
  const { authorization = '' } = headers
  const accessKeyId = /Credential=([^/]+)\//.exec(authorization)?.[1]
  if (accessKeyId === undefined) return 'MissingAuthenticationTokenException'
  if (accessKeyId !== key.accessKeyId) return 'UnrecognizedClientException'
  const date = String(headers['x-amz-date'])
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(now - at) <= MINUTES_MAX * 60_000)) return 'InvalidSignatureException'
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
  if (!['content-type', 'host', 'x-amz-date'].every((name) => names.includes(name))) return 'IncompleteSignatureException'
  const [bare = '', query = ''] = path.split('?')
  if (!TARGET.test(bare)) return 'UnknownOperationException'
  const expected = signedHeaders(String(headers.host), {
    // All services but S3 sign the path encoded twice.
    path: bare.split('/').map(encodeURIComponent).join('/'),
    query,
    headers: Object.fromEntries(names.filter((name) => name !== 'host').map((name) => [name, String(headers[name])])),
    ...{ body, service, region, key, at },
  })
  return expected['authorization'] === authorization ? undefined : 'SignatureDoesNotMatch'
}

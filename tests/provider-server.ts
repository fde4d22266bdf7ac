// What servers that speak a provider's HTTP have in common: whole bodies, answers in JSON, and failing as they are told.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ProviderFault =
  | { readonly kind: 'answer'; readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'hang' | 'reset' | 'drip' }

export interface ProviderServer {
  readonly url: string
  close(): Promise<void>
}

/** `serve` answers, or says how it fails. */
export async function startProviderServer(
  serve: (request: IncomingMessage, body: string, response: ServerResponse) => ProviderFault | undefined | void,
): Promise<ProviderServer> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const fault = serve(request, Buffer.concat(parts).toString('utf8'), response)
      if (fault?.kind === 'answer') answerJson(response, fault.status, fault.body ?? {}, fault.headers)
      else if (fault?.kind === 'reset') request.socket.resetAndDestroy()
      else if (fault?.kind === 'drip') response.writeHead(200, { 'content-length': '100' }).write('{')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function answerJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers }).end(JSON.stringify(body))
}

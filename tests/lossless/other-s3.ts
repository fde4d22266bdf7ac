// Another S3 for trails to write to, which takes its time, refuses, and loses its answers: what it has taken it keeps by key.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '../../src/base/random.ts'
import type { BucketObject } from '../digest-check.ts'
import { pause } from '../until.ts'

const SLOW_MS = 400

export interface OtherS3 {
  readonly url: string
  readonly files: Map<string, BucketObject>
  /** How many of a hundred requests go wrong. */
  faults: number
  faulty: number
  close(): Promise<void>
}

export async function openOtherS3(random: Random): Promise<OtherS3> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const key = decodeURIComponent((request.url ?? '').replace(/^\/away\//, ''))
      const take = (): void => {
        if (request.method === 'PUT' && !key.endsWith('/'))
          other.files.set(key, { key, body: Buffer.concat(chunks), metadata: metadataOf(request.headers) })
      }
      if (random.below(100) >= other.faults) {
        take()
        response.writeHead(200).end()
        return
      }
      other.faulty++
      const fault = random.below(5)
      if (fault === 0) response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>')
      else if (fault === 1) response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
      else if (fault === 2) request.socket.destroy()
      else if (fault === 3) {
        // Taken, and nobody learns of it.
        take()
        request.socket.destroy()
      } else
        void pause(SLOW_MS).then(() => {
          take()
          response.writeHead(200).end()
        })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const other: OtherS3 = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: new Map(),
    faults: 0,
    faulty: 0,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return other
}

const METADATA = 'x-amz-meta-'

function metadataOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const named = Object.entries(headers).filter(([name]) => name.startsWith(METADATA))
  return Object.fromEntries(named.map(([name, value]) => [name.slice(METADATA.length), String(value)]))
}

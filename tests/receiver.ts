// An HTTP or HTTPS endpoint that subscribes to topics: keeps what is posted to it, and can be told what to answer.
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { until } from './until.ts'

export interface Post {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly text: string
}

export type Message = Readonly<Record<string, string>>

export interface Receiver {
  readonly url: string
  readonly posts: readonly Post[]
  /** The first message of that type that was not asked for before; `matches` may narrow it down. */
  next(type: string, matches?: (message: Message) => boolean): Promise<Message>
  /** As `next`, with the headers. */
  nextPost(type: string, matches?: (message: Message) => boolean): Promise<Post>
  close(): Promise<void>
}

export interface ReceiverOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The status to answer; `undefined` keeps the sender waiting. 200 when absent. */
  readonly answer?: (post: Post) => number | undefined
  /** The body of each answer. */
  readonly reply?: string
}

export async function openReceiver({ tls, answer = () => 200, reply = '' }: ReceiverOptions = {}): Promise<Receiver> {
  const posts: Post[] = []
  const asked = new Set<Post>()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const post = { headers: request.headers, path: request.url ?? '', text: Buffer.concat(chunks).toString('utf8') }
      posts.push(post)
      const status = answer(post)
      if (status !== undefined) response.writeHead(status).end(reply)
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A test that fails before it closes the receiver ends all the same, with its cause.
  server.unref()
  const { port } = server.address() as AddressInfo
  const nextPost: Receiver['nextPost'] = (type, matches = () => true) =>
    until(`a ${type} at the receiver`, () => {
      const found = posts.find((post) => !asked.has(post) && post.headers['x-amz-sns-message-type'] === type && matches(messageOf(post)))
      if (found !== undefined) asked.add(found)
      return found
    })
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${tls === undefined ? '127.0.0.1' : 'localhost'}:${port}`,
    posts,
    nextPost,
    next: async (type, matches) => messageOf(await nextPost(type, matches)),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

/** The envelope; of a raw delivery nothing but the text, as Message. */
export function messageOf({ text, headers }: Post): Message {
  return headers['x-amz-sns-rawdelivery'] === 'true' ? { Message: text } : (JSON.parse(text) as Message)
}

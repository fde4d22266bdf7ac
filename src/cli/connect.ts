// The way of a command to the server: the socket in the data directory.
import { existsSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { http } from '../base/http.ts'
import { CommandError } from './command.ts'

export interface Connection {
  /** The lines of an operation's answer. Throws CommandError with the server's refusal. Ending the iteration ends the call. */
  lines(operation: string, input: object): AsyncIterable<unknown>
  /** Ends what is still being read. */
  close(): Promise<void>
}

/** The one value of an operation that answers at once. */
export async function callOnce<T>(connection: Connection, operation: string, input: object): Promise<T> {
  for await (const value of connection.lines(operation, input)) return value as T
  throw new CommandError(`the server gave no answer to ${operation}`)
}

/** A connection to the server that runs on `dataFolder`, or undefined when none does. */
export async function connectToServer(dataFolder: string, osUser: string): Promise<Connection | undefined> {
  const socketPath = join(dataFolder, 'admin.sock')
  if (!existsSync(socketPath)) return undefined
  if (!(await answers(socketPath))) return undefined
  const open = new Set<ClientRequest>()
  return {
    async *lines(operation, input) {
      const outgoing = http.request({ socketPath, path: `/${operation}`, method: 'POST', headers: { 'x-sealcast-user': osUser } })
      open.add(outgoing)
      try {
        yield* readLines(outgoing, input)
      } finally {
        open.delete(outgoing)
        outgoing.destroy()
      }
    },
    close() {
      for (const outgoing of open) outgoing.destroy()
      return Promise.resolve()
    },
  }
}

/** A socket that a crash left behind takes no connection. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = http.request({ socketPath, path: '/', method: 'HEAD' }, (response) => {
      response.resume()
      resolve(true)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else if (error.code === 'EACCES') reject(new CommandError(`no permission for ${socketPath}: run this as the user of the server`))
      else reject(error)
    })
    probe.end()
  })
}

async function* readLines(outgoing: ClientRequest, input: object): AsyncGenerator<unknown> {
  outgoing.end(JSON.stringify(input))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
  })
  outgoing.on('error', () => {})
  let isDone = false
  for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
    const message = JSON.parse(line) as { value?: unknown; done?: true; error?: { code: string; message: string } }
    if (message.error !== undefined) throw new CommandError(message.error.message)
    isDone = message.done === true
    if (!isDone) yield message.value
  }
  if (!isDone) throw new CommandError('the server ended before its answer was complete')
}

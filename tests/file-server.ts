// A server process that lives as long as a test file, in a folder of its own.
import { join } from 'node:path'
import { after } from 'node:test'
import { type ServerOptions, startTestServer, temporaryFolder, type TestServer } from './server.ts'

export interface FileServer {
  readonly server: TestServer
  /** Where the file's tests may put what they like. */
  readonly folder: string
  /** The server's data directory, in that folder. */
  readonly data: string
}

/** Server and folder are gone when the file's tests are over. */
export async function startFileServer(options: Omit<ServerOptions, 'data'> = {}): Promise<FileServer> {
  const folder = temporaryFolder()
  const data = join(folder.path, 'data')
  const server = await startTestServer({ ...options, data })
  after(async () => {
    await server.kill()
    folder.remove()
  })
  return { server, folder: folder.path, data }
}

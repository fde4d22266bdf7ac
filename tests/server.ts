// A real server as a process of its own, for tests that look from outside: start, stop, kill.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildResult, resultOf } from './child-result.ts'

export const ROOT_KEY = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a-secret-of-this-test-only' }
export const SERVER_REGION = 'us-east-1'

/** As AWS's programs are told where to go, and as whom. */
export function awsEnvironment(url: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: ROOT_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROOT_KEY.secretAccessKey,
    AWS_REGION: SERVER_REGION,
    AWS_DEFAULT_REGION: SERVER_REGION,
  }
}
const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
/** Without it each process compiles every file anew; bin/node26.js does the same. */
const COMPILED = { NODE_COMPILE_CACHE: join(import.meta.dirname, '..', 'node_modules', '.cache', 'sealcast') }
const READY_MS = 30_000
const COMMAND_MS_MAX = 60_000

export interface TestServer {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** What it wrote to standard error so far. */
  log(): string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface ServerOptions {
  readonly data?: string
  /** Further words of the command line. */
  readonly words?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Configuration of an SDK client of the server. */
export function clientConfig(url: string, key: { readonly accessKeyId: string; readonly secretAccessKey: string } = ROOT_KEY) {
  return { endpoint: url, region: SERVER_REGION, credentials: key, maxAttempts: 1 }
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sealcast-test-'))
  return {
    path,
    // A server that is on its way out may write a last file.
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }),
  }
}

/** Runs `sealcast serve` on a free port (port 0) or the one in `words`; resolves when it is ready. */
export async function startTestServer({ data, words = [], environment = {} }: ServerOptions): Promise<TestServer> {
  const port = words.includes('--port') ? [] : ['--port', '0']
  const dataWords = data === undefined ? ['--dev'] : ['--data', data]
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'serve', ...dataWords, ...port, '--log', 'json', ...words],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...COMPILED,
        ...process.env,
        SEALCAST_ROOT_ACCESS_KEY_ID: ROOT_KEY.accessKeyId,
        SEALCAST_ROOT_SECRET_ACCESS_KEY: ROOT_KEY.secretAccessKey,
        ...environment,
      },
    },
  )
  let log = ''
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error(`the server was not ready after ${READY_MS} ms:\n${log}`))
      // Left alone it would keep the test's process, and with it the failure, from ending.
      child.kill('SIGKILL')
    }, READY_MS)
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8')
      const ready = log.split('\n').find((line) => line.includes('"message":"ready"'))
      if (ready === undefined) return
      clearTimeout(late)
      resolve((JSON.parse(ready) as { url: string }).url)
    })
    child.once('exit', (code) => {
      clearTimeout(late)
      reject(new Error(`the server ended with code ${code} before it was ready:\n${log}`))
    })
  })
  return {
    url,
    port: Number(new URL(url).port),
    child,
    log: () => log,
    stop() {
      child.kill('SIGTERM')
      return exited
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Runs `sealcast` with these words; resolves with what it printed. */
export function runCommand(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<ChildResult> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    env: { ...COMPILED, ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return resultOf(child, COMMAND_MS_MAX)
}

export interface RunningCommand {
  /** What it printed so far. */
  output(): string
  /** SIGINT; resolves with the exit code. */
  end(): Promise<number | null>
}

/** Starts `sealcast` with these words and leaves it running. */
export function startCommand(words: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    env: { ...COMPILED, ...process.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    output: () => output,
    end() {
      child.kill('SIGINT')
      return closed
    },
  }
}

// Signatures of notifications: RSA-2048, PKCS #1 v1.5, made once per distinct text in a child process that starts when first needed
// and goes when it has had nothing to do for a while. A child that dies is replaced and its work done again.
import { type ChildProcess, spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPair, hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { SignatureVersion } from '../model/notification.ts'
import { createCertificate } from './certificate.ts'
import { FIRST_PIPE, FrameKind, FrameReader, type SignerFrame, formatFrame } from './signer-frames.ts'

export interface SigningKey {
  /** 32 hex digits. */
  readonly keyId: string
  /** Secret: to be kept sealed. */
  readonly privateKeyPem: string
  readonly certificatePem: string
}

export interface Signer {
  /**
   * The signature of `text` in base64, SHA-1 for version 1 and SHA-256 for version 2.
   * Rejects with SignerBusy (try later) or SignerFailed.
   */
  sign(text: string, version: SignatureVersion): Promise<string>
  /** Texts that wait for their signature or are being signed. */
  readonly waiting: number
  /** Where the certificate is to be served, from the root of this server. */
  readonly certificatePath: string
  readonly certificatePem: string
  /** Of the child, while one runs: who measures the server counts it in. */
  readonly processId: number | undefined
  close(): Promise<void>
}

export class SignerBusy extends Error {
  override name = 'SignerBusy'
}
export class SignerFailed extends Error {
  override name = 'SignerFailed'
}

const DAY_MS = 86_400_000
const CERTIFICATE_DAYS = 3650
/** AWS's name, which some SDKs look for in the certificate whatever host served it. */
const CERTIFICATE_NAME = 'sns.amazonaws.com'
const RSA_BITS = 2048

const WAITING_MAX = 10_000
const REMEMBERED_MAX = 4096
/** Signatures that a child makes at the same time. */
const THREADS_MAX = 4
/** A thread has so many to do, so that it never waits for us, and a crash repeats little. */
const SENT_MAX = 3
const IDLE_MS = 120_000
const STARTS_IN_VAIN_MAX = 5
const KIND_OF = { 1: FrameKind.sha1, 2: FrameKind.sha256 } as const
/**
 * On AMD's processors OpenSSL's RSA is up to 1.6 times as fast with AVX2 as with ADX, which it prefers (docs/decisions/0028).
 * Bit 19 of the second word is ADX.
 */
const WITHOUT_ADX = { OPENSSL_ia32cap: ':~0x80000' }
const RESTART: Backoff = { firstMs: 50, maxMs: 2000 }

/** Makes a new key with its self-signed certificate; takes tenths of a second, off the main thread. `now` in ms since 1970. */
export async function createSigningKey(random: Random, now: number): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS })
  const serial = random.bytes(16)
  const certificatePem = createCertificate({
    commonName: CERTIFICATE_NAME,
    subjectKey: privateKey,
    serial,
    notBefore: now - DAY_MS,
    notAfter: now + CERTIFICATE_DAYS * DAY_MS,
  })
  return { keyId: serial.toString('hex'), privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificatePem }
}

export function certificatePath(keyId: string): string {
  return `/SimpleNotificationService-${keyId}.pem`
}

export interface SignerOptions {
  readonly key: SigningKey
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Texts that may wait at once. */
  readonly waitingMax?: number
}

export function createSigner(options: SignerOptions): Signer {
  // A key that does not parse must fail the start, not the first notification.
  createPrivateKey(options.key.privateKeyPem)
  return new ProcessSigner(options)
}

/** All that the child gets to see of our environment. */
export function signerEnvironment(): Record<string, string> {
  return process.arch === 'x64' && cpus()[0]?.model.startsWith('AMD') === true ? WITHOUT_ADX : {}
}

interface Job {
  readonly id: number
  readonly version: SignatureVersion
  readonly text: string
  readonly resolve: (signature: string) => void
  readonly reject: (failure: Error) => void
}

interface Child {
  readonly process: ChildProcess
  /** The first one's is there from the start, the others' when there is work for them. */
  readonly threads: readonly Thread[]
}

interface Thread {
  readonly pipe: Socket
  isStarted: boolean
  sent: number
}

class ProcessSigner implements Signer {
  readonly certificatePath: string
  readonly certificatePem: string
  readonly #options: SignerOptions
  /** By version and hash of the text, least recently asked for first. */
  readonly #remembered = new Map<string, Promise<string>>()
  #waiting: Job[] = []
  readonly #sent = new Map<number, Job>()
  #child: Child | undefined
  #nextId = 1
  #startsInVain = 0
  #restart: Timer | undefined
  #idle: Timer | undefined
  #isScheduled = false
  #isClosed = false

  constructor(options: SignerOptions) {
    this.#options = options
    this.certificatePath = certificatePath(options.key.keyId)
    this.certificatePem = options.key.certificatePem
  }

  get waiting(): number {
    return this.#waiting.length + this.#sent.size
  }

  get processId(): number | undefined {
    return this.#child?.process.pid
  }

  sign(text: string, version: SignatureVersion): Promise<string> {
    const key = version + hash('sha256', text, 'base64')
    const known = this.#remembered.get(key)
    if (known !== undefined) {
      this.#remembered.delete(key)
      this.#remembered.set(key, known)
      return known
    }
    if (this.#isClosed) return Promise.reject(new SignerFailed('the signer is closed'))
    if (this.waiting >= (this.#options.waitingMax ?? WAITING_MAX))
      return Promise.reject(new SignerBusy(`${this.waiting} texts wait for their signature already`))
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#waiting.push({ id: this.#nextId++, version, text, resolve, reject })
    this.#remembered.set(key, promise)
    promise.catch(() => this.#remembered.delete(key))
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_MAX) break
      this.#remembered.delete(oldest)
    }
    this.#schedule()
    return promise
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#restart?.cancel()
    this.#idle?.cancel()
    this.#failAll(new SignerFailed('the signer is closed'))
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.process.exitCode !== null || child.process.signalCode !== null) return
    await new Promise<void>((resolve) => {
      child.process.once('exit', () => resolve())
      child.process.ref()
      hangUp(child)
    })
  }

  /** What arrives in a turn goes out together. */
  #schedule(): void {
    if (this.#isScheduled || this.#restart !== undefined) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#isClosed) this.#send()
    })
  }

  #send(): void {
    if (this.#waiting.length === 0 || this.#restart !== undefined) return
    const child = (this.#child ??= this.#start())
    for (let thread = idlest(child); thread.sent < SENT_MAX; thread = idlest(child)) {
      const job = this.#waiting.shift()
      if (job === undefined) break
      if (!thread.isStarted) this.#startThread(child, thread)
      if (this.#sent.size === 0) this.#hold(child)
      thread.sent++
      this.#sent.set(job.id, job)
      thread.pipe.write(formatFrame({ kind: KIND_OF[job.version], id: job.id, text: job.text }))
    }
  }

  /** With an answer outstanding the child keeps our process alive, otherwise it does not. */
  #hold(child: Child): void {
    this.#idle?.cancel()
    this.#idle = undefined
    child.process.ref()
    for (const { pipe } of child.threads) pipe.ref()
  }

  #start(): Child {
    const pipes = Array.from({ length: Math.min(availableParallelism(), THREADS_MAX) }, () => 'pipe' as const)
    const started = spawn(process.execPath, [fileURLToPath(new URL('./signer-process.ts', import.meta.url))], {
      env: signerEnvironment(),
      stdio: ['ignore', 'ignore', 'ignore', ...pipes],
    })
    const threads = pipes.map((_, at) => ({ pipe: started.stdio[FIRST_PIPE + at] as Socket, isStarted: at === 0, sent: 0 }))
    const child = { process: started, threads }
    for (const thread of threads) {
      const reader = new FrameReader()
      thread.pipe.on('data', (bytes: Buffer) => this.#signed(child, thread, reader.take(bytes)))
      // A failed write is followed by `exit` or `error` of the process, where the work is put back.
      thread.pipe.on('error', () => {})
    }
    started.once('error', () => this.#died(child, 'could not be started'))
    started.once('exit', (code, signal) => this.#died(child, `ended with ${signal ?? code}`))
    this.#giveKey(threads[0])
    return child
  }

  #startThread(child: Child, thread: Thread): void {
    thread.isStarted = true
    child.threads[0]?.pipe.write(formatFrame({ kind: FrameKind.thread, id: FIRST_PIPE + child.threads.indexOf(thread), text: '' }))
    this.#giveKey(thread)
  }

  #giveKey(thread: Thread | undefined): void {
    thread?.pipe.write(formatFrame({ kind: FrameKind.key, id: 0, text: this.#options.key.privateKeyPem }))
  }

  #signed(child: Child, thread: Thread, answers: readonly SignerFrame[]): void {
    if (child !== this.#child) return
    this.#startsInVain = 0
    thread.sent -= answers.length
    for (const { id, text } of answers) {
      this.#sent.get(id)?.resolve(text)
      this.#sent.delete(id)
    }
    this.#send()
    if (this.#sent.size > 0) return
    child.process.unref()
    for (const { pipe } of child.threads) pipe.unref()
    this.#idle ??= this.#options.clock.after(IDLE_MS, () => this.#rest())
  }

  /** Nothing to do for a while: the child's memory is worth more than a quick start. */
  #rest(): void {
    this.#idle = undefined
    if (this.#sent.size > 0 || this.#waiting.length > 0) return
    const child = this.#child
    this.#child = undefined
    if (child !== undefined) hangUp(child)
  }

  #died(child: Child, how: string): void {
    if (child !== this.#child) return
    this.#child = undefined
    this.#waiting = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
    this.#startsInVain++
    if (this.#startsInVain > STARTS_IN_VAIN_MAX) {
      this.#startsInVain = 0
      this.#options.log.error('notifications cannot be signed: the signing process does not run', { reason: how })
      this.#failAll(new SignerFailed(`the signing process ${how}`))
      return
    }
    this.#options.log.warn('the signing process ended and is started again', { reason: how })
    this.#restart = this.#options.clock.after(backoffMs(RESTART, this.#startsInVain, this.#options.random), () => {
      this.#restart = undefined
      this.#send()
    })
  }

  #failAll(failure: Error): void {
    const jobs = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
    this.#waiting = []
    for (const { reject } of jobs) reject(failure)
  }
}

/** The first of those with the least to do: one that waits alone needs no second thread. */
function idlest({ threads }: Child): Thread {
  return threads.reduce((least, thread) => (thread.sent < least.sent ? thread : least))
}

/** By which it ends. */
function hangUp({ threads }: Child): void {
  for (const { pipe } of threads) pipe.destroy()
}

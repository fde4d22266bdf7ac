// The child process that signs. It gets its key as the first message of the channel, never on the command line or in its environment,
// yields to everyone else, and ends when its parent does.
import { createPrivateKey, sign } from 'node:crypto'
import { constants, setPriority } from 'node:os'
import type { SignatureVersion } from '../model/notification.ts'

export type ToSigner =
  | { readonly kind: 'key'; readonly privateKeyPem: string }
  | { readonly kind: 'sign'; readonly jobs: readonly { readonly id: number; readonly version: SignatureVersion; readonly text: string }[] }
export type FromSigner = readonly { readonly id: number; readonly signature: string }[]

if (process.send !== undefined) serve()

function serve(): void {
  // The terminal sends its signals to the whole group; the parent decides when we go.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  process.on('disconnect', () => process.exit(0))
  lowerPriority()
  let key: ReturnType<typeof createPrivateKey> | undefined
  process.on('message', (message: ToSigner) => {
    if (message.kind === 'key') key = createPrivateKey(message.privateKeyPem)
    else if (key !== undefined) {
      const signingKey = key
      const algorithm = { 1: 'sha1', 2: 'sha256' } as const
      const signed = message.jobs.map(({ id, version, text }) => ({
        id,
        signature: sign(algorithm[version], Buffer.from(text), signingKey).toString('base64'),
      }))
      process.send?.(signed)
    }
  })
}

function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Some sandboxes forbid it; signing works as well without.
  }
}

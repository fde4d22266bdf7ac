// The server's signing key for notifications: made when the first notification needs one, kept sealed among the records, the same across
// restarts. Certificates of older keys stay served.
import type { MessageHeader } from '../model/message.ts'
import { Table } from '../model/tables.ts'
import { type Notification, createNotification, fillEnvelope, formatEnvelope, stringToSign } from '../model/notification.ts'
import { EnvelopeFrames } from './envelope-frames.ts'
import type { Env } from './env.ts'
import { type Signer, type SigningKey, certificatePath, createSigner, createSigningKey } from './signer.ts'

export interface Signing {
  /** The signer with the current key. */
  signer(): Promise<Signer>
  /** The JSON of a notification, signed where its topic signs: at once where another of the same message was asked for a moment ago. */
  envelope(notification: Notification): Promise<string> | string
  /**
   * Begins the signature of a published message while its frame is written: who sends it to endpoints of the protocol finds it made, or on
   * its way.
   */
  foresee(header: MessageHeader, body: string, to: { readonly protocol: string; readonly baseUrl: string }): void
  /** The certificate (PEM) served under a path of certificatePath, or undefined. */
  certificate(path: string): string | undefined
  close(): Promise<void>
}

/** Where so many wait already, those who wait to be sent come first. */
const FORESEEN_MAX = 8

/** `baseUrl`: where the outside reaches the certificate. */
export function createSigning(env: Env, baseUrl: () => string): Signing {
  let current: Promise<Signer> | undefined
  const signer = (): Promise<Signer> => (current ??= openSigner(env))
  let known: Signer | undefined
  const frames = new EnvelopeFrames(async (notification, version) => {
    const chosen = (known ??= await signer())
    const signature = await chosen.sign(stringToSign(notification), version)
    return { signature, signingCertUrl: baseUrl() + chosen.certificatePath }
  })
  return {
    signer,
    envelope(notification) {
      if (notification.signatureVersion === undefined) return formatEnvelope(notification, undefined)
      const frame = frames.of(notification, notification.signatureVersion)
      return frame instanceof Promise ? frame.then((made) => fillEnvelope(made, notification)) : fillEnvelope(frame, notification)
    },
    foresee(header, body, to) {
      // The first notification starts the signer.
      if (known === undefined || known.waiting >= FORESEEN_MAX) return
      const notification = createNotification(header, body, { ...to, subscriptionArn: '' })
      const { signatureVersion } = notification
      const frame = signatureVersion === undefined ? undefined : frames.of(notification, signatureVersion)
      // Who sends it hears of a failure.
      if (frame instanceof Promise) frame.catch(() => undefined)
    },
    certificate(path) {
      for (const { value } of env.tables.range(Table.signingKeys, {}))
        if (certificatePath(value.keyId) === path) return value.certificatePem
      return undefined
    },
    async close() {
      await current?.then((signer) => signer.close())
    },
  }
}

async function openSigner({ tables, commits, seal, clock, random, log, acts }: Env): Promise<Signer> {
  const newest = tables
    .range(Table.signingKeys, {})
    .map(({ value }) => value)
    .sort((a, b) => b.createdAt - a.createdAt)[0]
  if (newest !== undefined) {
    const key: SigningKey = {
      keyId: newest.keyId,
      certificatePem: newest.certificatePem,
      privateKeyPem: seal.open(newest.sealedPrivateKey, signingKeyContext(newest.keyId)),
    }
    return createSigner({ key, clock, random, log })
  }
  const key = await createSigningKey(random, clock.now())
  await commits.commit((tx) => {
    tx.put(Table.signingKeys, key.keyId, {
      keyId: key.keyId,
      certificatePem: key.certificatePem,
      sealedPrivateKey: seal.seal(key.privateKeyPem, signingKeyContext(key.keyId)),
      createdAt: tx.now,
    })
    acts.tell(tx, { name: 'SigningKeyMade', details: { purpose: 'notifications', keyId: key.keyId } })
  }).done
  return createSigner({ key, clock, random, log })
}

export function signingKeyContext(keyId: string): string {
  return `signing-key ${keyId}`
}

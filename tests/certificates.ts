// A test authority and what it issues, as PEM.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createCertificate } from '../src/engine/certificate.ts'

export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly cert: string
  /** A certificate for 127.0.0.1 and localhost. */
  issue(): Issued
}

const DATES = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2049, 0, 1) }

export function createAuthority(commonName = 'test authority'): Authority {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const cert = createCertificate({ ...DATES, commonName, subjectKey: privateKey, isAuthority: true, serial: randomBytes(16) })
  return {
    cert,
    issue() {
      const { privateKey: subjectKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const issuer = { commonName, key: privateKey }
      const issued = createCertificate({
        ...DATES,
        commonName: 'localhost',
        hosts: ['127.0.0.1'],
        subjectKey,
        issuer,
        serial: randomBytes(16),
      })
      return { cert: issued, key: subjectKey.export({ type: 'pkcs8', format: 'pem' }) as string }
    },
  }
}

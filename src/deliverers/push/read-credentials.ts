// Credentials as they were read before: keys are parsed once, not for each push.
import { createHash } from 'node:crypto'
import type { GivenCredentials } from '../../model/platform-credentials.ts'

const KEPT_MAX = 1000

export interface ReadOnce<Credential> {
  readonly read: Credential
  /** Of these credentials alone, and telling nothing of them. */
  readonly identity: string
}

export function readingOnce<Credential>(read: (given: GivenCredentials) => Credential): (given: GivenCredentials) => ReadOnce<Credential> {
  const kept = new Map<string, ReadOnce<Credential>>()
  return (given) => {
    const { ApplePlatformTeamID: team, ApplePlatformBundleID: bundle } = given.attributes
    const texts = JSON.stringify([given.credential, given.principal, team, bundle])
    const identity = createHash('sha256').update(texts).digest('hex')
    let known = kept.get(identity)
    if (known === undefined) {
      if (kept.size >= KEPT_MAX) kept.clear()
      kept.set(identity, (known = { read: read(given), identity }))
    }
    return known
  }
}

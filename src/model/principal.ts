// Who acts: the principal of a call, as authentication found it and as events and policies name it.

export interface Principal {
  readonly type: 'root' | 'user' | 'role-session' | 'service' | 'operator' | 'anonymous'
  /** 12 digits; empty for services and anonymous callers. */
  readonly account: string
  /** Empty for services and anonymous callers. */
  readonly arn: string
  /** AWS's unique id (userIdentity.principalId). */
  readonly principalId: string
  readonly accessKeyId?: string
  readonly userName?: string
  /** The service that acts, by its DNS name (cloudtrail.amazonaws.com). */
  readonly service?: string
}

export function rootPrincipal(account: string, accessKeyId?: string): Principal {
  return { type: 'root', account, arn: `arn:aws:iam::${account}:root`, principalId: account, ...(accessKeyId && { accessKeyId }) }
}

export function servicePrincipal(service: string, account: string): Principal {
  return { type: 'service', account, arn: '', principalId: service, service }
}

/** A person at the machine, who reached the data directory's own socket. */
export function operatorPrincipal(osUser: string, account: string): Principal {
  return { type: 'operator', account, arn: `arn:aws:iam::${account}:root`, principalId: `sealcast-operator/${osUser}`, userName: osUser }
}

export const anonymous: Principal = { type: 'anonymous', account: '', arn: '', principalId: 'ANONYMOUS_PRINCIPAL' }

export interface Account {
  readonly id: string
  readonly createdAt: number
}

export interface AccessKey {
  readonly accessKeyId: string
  readonly account: string
  /** Sealed with the data directory's root key (engine/seal.ts). */
  readonly sealedSecret: string
  readonly createdAt: number
}

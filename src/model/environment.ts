// What a client needs to reach a server: the operator's answer to `sealcast env`.

export interface ClientEnvironment {
  /** Empty while nothing listens. */
  readonly Url: string
  readonly Region: string
  readonly AccountId: string
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
}

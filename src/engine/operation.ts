// The socket of an AWS operation: one declaration that feeds the authorizer, the audit projection, the coverage table and the call.
// A `run` is reachable only through engine/call.ts, so that nothing happens unaudited.
import type { CompiledPolicy } from '../model/access-policy/policy.ts'
import type { Principal } from '../model/principal.ts'
import type { ServiceError } from '../model/service-error.ts'
import type { ServiceModel } from '../model/shape.ts'
import type { Env } from './env.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

/** What the front door knows of a request beside the call. */
export interface WireFacts {
  /** Of the body as it came; 0 for streams. */
  readonly bodyBytes: number
  /** Signed in the query. */
  readonly isPresigned: boolean
  /** S3's second id of the request, which its answer bears. */
  readonly hostId: () => string
}

/** How long somebody waits for an answer: until the client goes, or the server closes. */
export interface Patience {
  readonly isOver: boolean
  /** Calls `over` once, when it ends; one at a time, and not once it is over. Returns how to stop. */
  onceOver(over: () => void): () => void
}

/** A call being served. */
export interface Call {
  readonly env: Env
  readonly requestId: string
  readonly service: string
  readonly operation: string
  readonly region: string
  readonly partition: string
  /** The account in which the call acts: the caller's. Empty for unsigned calls. */
  readonly account: string
  readonly principal: Principal
  readonly arrivedAt: number
  readonly sourceIp: string
  readonly userAgent: string
  /** The Host header: where the caller reached us, for URLs that must work from there. */
  readonly host: string
  /** X-Amzn-Trace-Id: who traces the caller's requests finds this one by it. */
  readonly traceHeader: string | undefined
  readonly tls: { readonly version: string; readonly cipher: string } | undefined
  /** How the request came; undefined for calls from inside the process. */
  readonly wire: WireFacts | undefined
  /** What waits MUST come to an end with it. Undefined for calls from inside the process. */
  readonly patience: Patience | undefined
  /** The request's body where the protocol streams it. */
  readonly stream: AsyncIterable<Uint8Array> | undefined
  /** Further condition keys the operation knows (sns:Protocol). Lower case. */
  readonly conditions: Record<string, string | string[]>
  /** ARN of the trail whose own delivery caused the call. */
  readonly causedByTrail: string | undefined
  /** What the call needs beyond its own action, where only `run` knows (`GetObject` on a copy's source). Throws the service's refusal. */
  readonly require: (action: string, resource: string) => void
}

/**
 * Nothing is decided yet: run again after `until`, and after the commit of what was staged on the way (messages that are not to be given
 * out, and go). Only for calls that wait or look again (long polling).
 */
export class Wait {
  readonly until: Promise<void>
  constructor(until: Promise<void>) {
    this.until = until
  }
}

export interface EventResource {
  readonly type: string
  readonly arn: string
  readonly account?: string
}

/** How the call is told in its event. Without it: the input by its model, lower-camel names, sensitive members hidden. */
export interface Projection<Input, Output> {
  /** requestParameters; null when the call has none. */
  readonly parameters?: (input: Input, call: Call) => Readonly<Record<string, unknown>> | null
  /** responseElements of a successful writing call; null when it returns nothing. */
  readonly response?: (output: Output, input: Input) => Readonly<Record<string, unknown>> | null
  /** Members of the input whose value is replaced: by the member's AWS name. */
  readonly hidden?: Readonly<Record<string, string>>
  readonly resources?: (input: Input, call: Call) => readonly EventResource[]
  readonly additional?: (output: Output | undefined, input: Input, call: Call) => Readonly<Record<string, unknown>> | undefined
}

/** `Input` and `Output` are plain objects by AWS's member names, as the SDK types them. */
export interface Operation<Input = never, Output = unknown, Prepared = unknown> {
  readonly name: string
  /** What CloudTrail calls it where that differs (`ListObjects` for ListObjectsV2). */
  readonly eventName?: string
  readonly access: 'read' | 'write'
  /** A data event in CloudTrail's terms; else a management event. */
  readonly data?: boolean
  /** The IAM action where it is not the operation's name (`Publish` for PublishBatch). */
  readonly action?: string | ((input: Input) => string)
  /** May be called without a signature; whatever it then does enters no trail. */
  readonly unsigned?: boolean
  /** The ARN that is authorised; undefined for `*`. Throws a ServiceError on an input that names none. */
  readonly resource?: (input: Input, call: Call) => string | undefined
  /** More condition keys for the policies, lower case. */
  readonly conditions?: (input: Input, call: Call, tables: TableReader) => Readonly<Record<string, string | string[]>>
  /** IAM cannot gate it (ConfirmSubscription, Unsubscribe, GetCallerIdentity). */
  readonly ungated?: boolean
  readonly record?: Projection<Input, Output>
  /** What has to be awaited before deciding: large bodies, look-ups outside. Changes nothing. No promise where nothing is waited for. */
  readonly prepare?: (call: Call, input: Input) => Prepared | Promise<Prepared>
  /** Decides and stages, synchronously. Throws ServiceErrors of its service's catalogue. */
  readonly run: (tx: Transaction, input: Input, call: Call, prepared: Prepared) => Output | Wait
  /**
   * False of an output that need not wait for its commit: when a crash takes that back, it MUST be as if the call had never reached us.
   * A call with an event waits all the same. Without it every answer waits.
   */
  readonly isFirm?: (output: Output) => boolean
  /** Completes the answer after the commit (bodies read from disk). MUST NOT decide anything. */
  readonly answer?: (output: Output, call: Call, input: Input) => Output | Promise<Output>
}

// The registry of a service holds operations of many inputs; the codec guarantees each its own.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyOperation = Operation<any, any, any>

export interface ResourcePolicy {
  readonly owner: string
  readonly policy: CompiledPolicy | undefined
}

export interface Service {
  /** The endpoint prefix of the credential scope: sns, sqs, s3, sts, cloudtrail. */
  readonly name: string
  /** `sns.amazonaws.com` */
  readonly eventSource: string
  /** As the service spells it in refusals: `SNS`. */
  readonly actionPrefix: string
  readonly model: () => ServiceModel
  readonly operations: Readonly<Record<string, AnyOperation>>
  /** The resource's own policy and owner, or undefined when it does not exist. */
  readonly resourcePolicy?: (tables: TableReader, arn: string) => ResourcePolicy | undefined
  /** The refusal in the service's own form. */
  readonly accessDenied: (message: string) => ServiceError
  /** What to answer where the call's own code failed. */
  readonly internalError: () => ServiceError
  /** Data events without a trail's selector: recorded always (SNS) or not at all. */
  readonly recordsDataEvents: 'always' | 'when-selected'
  /** additionalEventData of all its calls; an operation's own comes behind it. */
  readonly additional?: (input: never, call: Call) => Readonly<Record<string, unknown>> | undefined
  /** A call's fixed event class: `own` for calls that AWS does not have. */
  readonly own?: boolean
  /** Throws the error AWS gives for required members that are absent. */
  readonly missing?: (members: readonly string[], operation: string) => ServiceError
}

// The lifecycle of a bucket's objects as the records keep it: the rules in the API's own shape, dates as milliseconds since 1970.

export interface Lifecycle {
  readonly rules: readonly LifecycleRule[]
  /** Objects under 128 KiB stay where they are, unless a rule's own filter names a size (TransitionDefaultMinimumObjectSize). */
  readonly keepsSmallObjects: boolean
}

export interface LifecycleRule {
  readonly ID: string
  readonly Status: 'Enabled' | 'Disabled'
  /** The older form of a filter; one of both, in the form in which it was put. */
  readonly Prefix?: string
  readonly Filter?: LifecycleFilter
  readonly Expiration?: { readonly Date?: number; readonly Days?: number; readonly ExpiredObjectDeleteMarker?: boolean }
  readonly Transitions?: readonly { readonly Date?: number; readonly Days?: number; readonly StorageClass: 'GLACIER_IR' }[]
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number; readonly NewerNoncurrentVersions?: number }
  readonly NoncurrentVersionTransitions?: readonly {
    readonly NoncurrentDays: number
    readonly NewerNoncurrentVersions?: number
    readonly StorageClass: 'GLACIER_IR'
  }[]
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

export interface LifecycleFilter extends LifecycleConditions {
  readonly Tag?: LifecycleTag
  readonly And?: LifecycleConditions & { readonly Tags?: readonly LifecycleTag[] }
}

interface LifecycleConditions {
  readonly Prefix?: string
  readonly ObjectSizeGreaterThan?: number
  readonly ObjectSizeLessThan?: number
}

export interface LifecycleTag {
  readonly Key: string
  readonly Value: string
}

// ListObjectVersions: every version and delete marker of a bucket. Pages continue behind a key marker and a version id marker.
import type { Operation } from '../../engine/operation.ts'
import type { StoredObject } from '../../model/bucket.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { canonicalUserId } from './canonical-user-id.ts'
import { errors } from './errors.ts'
import { bucketResource, existingBucket } from './existing-bucket.ts'
import { checkVersionId } from './existing-object.ts'
import {
  encoderOf,
  keysMaxOf,
  listConditions,
  listedObject,
  type ListedObject,
  type ListInput,
  listParameters,
} from './list-objects-common.ts'
import { idOf } from './object-versions.ts'
import { bucketContentResources } from './record.ts'
import { type ListedVersion, listVersionsOf, startOf } from './version-listing.ts'

interface Input extends ListInput {
  readonly KeyMarker?: string
  readonly VersionIdMarker?: string
}

interface ListedEntry {
  readonly Key: string
  readonly VersionId: string
  readonly IsLatest: boolean
  readonly LastModified: Date
  readonly Owner?: { readonly ID: string }
}

interface Output {
  readonly Name: string
  readonly Prefix: string
  readonly KeyMarker: string
  readonly VersionIdMarker: string
  readonly NextKeyMarker?: string
  readonly NextVersionIdMarker?: string
  readonly Delimiter?: string
  readonly MaxKeys: number
  readonly EncodingType?: string
  readonly IsTruncated: boolean
  readonly Versions?: readonly (ListedObject & ListedEntry)[]
  readonly DeleteMarkers?: readonly ListedEntry[]
  readonly CommonPrefixes?: readonly { readonly Prefix: string }[]
}

export const listObjectVersions: Operation<Input, Output> = {
  name: 'ListObjectVersions',
  access: 'read',
  data: true,
  action: 'ListBucketVersions',
  resource: bucketResource,
  conditions: listConditions,
  record: {
    parameters: (input, call) =>
      listParameters(input, call, { versions: '', 'key-marker': input.KeyMarker, 'version-id-marker': input.VersionIdMarker }),
    resources: bucketContentResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    const entriesMax = keysMaxOf(input)
    const encode = encoderOf(input)
    const { KeyMarker: key = '', VersionIdMarker: versionId, Delimiter: delimiter = '', Prefix: prefix = '' } = input
    const from = key === '' ? undefined : { key, ...(versionId !== undefined && { versionId }) }
    checkMarkers(key, versionId)
    if (from !== undefined && startOf(tx, { bucket, prefix, delimiter }, from) === undefined)
      throw errors.invalidArgument('version-id-marker', versionId ?? '', 'Invalid version id specified')
    const { entries, commonPrefixes, next } = listVersionsOf(tx, { bucket, prefix, delimiter, entriesMax, from })
    const [markers, versions] = [entries.filter(isMarker), entries.filter((entry) => !isMarker(entry))]
    return {
      Name: bucket.name,
      Prefix: encode(prefix),
      KeyMarker: encode(key),
      VersionIdMarker: versionId ?? '',
      ...(next !== undefined && { NextKeyMarker: encode(next.key) }),
      ...(next?.versionId !== undefined && { NextVersionIdMarker: next.versionId }),
      ...(delimiter !== '' && { Delimiter: encode(delimiter) }),
      MaxKeys: entriesMax,
      ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
      IsTruncated: next !== undefined,
      ...(versions.length > 0 && {
        Versions: versions.map((entry) => ({
          ...listedObject(entry.version as StoredObject, encode, true),
          ...listed(entry, encode),
        })),
      }),
      ...(markers.length > 0 && { DeleteMarkers: markers.map((entry) => listed(entry, encode)) }),
      ...(commonPrefixes.length > 0 && { CommonPrefixes: commonPrefixes.map((common) => ({ Prefix: encode(common) })) }),
    }
  },
}

function checkMarkers(key: string, versionId: string | undefined): void {
  if (versionId === undefined) return
  if (versionId === '') throw errors.invalidArgument('version-id-marker', '', 'A version-id marker cannot be empty.')
  if (key === '')
    throw errors.invalidArgument('version-id-marker', versionId, 'A version-id marker cannot be specified without a key marker.')
  checkVersionId(versionId)
}

function isMarker({ version }: ListedVersion): boolean {
  return isDeleteMarker(version)
}

function listed({ version, isLatest }: ListedVersion, encode: (text: string) => string): ListedEntry {
  return {
    Key: encode(version.key),
    VersionId: idOf(version),
    IsLatest: isLatest,
    LastModified: new Date(version.modifiedAt),
    Owner: { ID: canonicalUserId(version.owner) },
  }
}

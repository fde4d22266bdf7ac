// The errors of S3, with its codes, statuses and texts (S3 API reference, "Error responses"). `details` become elements of the
// error's body.
import { ServiceError } from '../../model/service-error.ts'

export const errors = {
  accessDenied: (message = 'Access Denied') => new ServiceError('AccessDenied', 403, message),
  aclNotSupported: () => new ServiceError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs'),
  badRequest: (message: string) => new ServiceError('BadRequest', 400, message),
  badContentMd5: (given: string) =>
    new ServiceError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { details: { 'Content-MD5': given } }),
  badChecksumHeader: (header: string) => new ServiceError('InvalidRequest', 400, `Value for ${header} header is invalid.`),
  bucketAclWithOwnership: () =>
    new ServiceError(
      'InvalidBucketAclWithObjectOwnership',
      400,
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
  bucketExists: (bucket: string) =>
    new ServiceError(
      'BucketAlreadyExists',
      409,
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. ' +
        'Please select a different name and try again.',
      { details: { BucketName: bucket } },
    ),
  bucketNotEmpty: (bucket: string) =>
    new ServiceError('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty', { details: { BucketName: bucket } }),
  bucketOwnedByYou: (bucket: string) =>
    new ServiceError('BucketAlreadyOwnedByYou', 409, 'Your previous request to create the named bucket succeeded and you already own it.', {
      details: { BucketName: bucket },
    }),
  /** Destinations of event notifications that cannot be used, each with the reason. */
  destinations: (refused: readonly { readonly arn: string; readonly why: string }[]) =>
    new ServiceError('InvalidArgument', 400, 'Unable to validate the following destination configurations', {
      details: Object.fromEntries(
        refused.flatMap(({ arn, why }, at) => {
          const number = refused.length === 1 ? '' : String(at + 1)
          return [
            [`ArgumentName${number}`, arn],
            [`ArgumentValue${number}`, why],
          ]
        }),
      ),
    }),
  digestMismatch: (what: string) => new ServiceError('BadDigest', 400, what),
  entityTooLarge: (bytesMax: number) =>
    new ServiceError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
      details: { MaxSizeAllowed: String(bytesMax) },
    }),
  entityTooSmall: (bytes: number, bytesMin: number, partNumber: number, etag: string) =>
    new ServiceError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
      details: { ProposedSize: String(bytes), MinSizeAllowed: String(bytesMin), PartNumber: String(partNumber), ETag: etag },
    }),
  illegalLocation: (constraint: string) =>
    new ServiceError(
      'IllegalLocationConstraintException',
      400,
      `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    ),
  internalError: () => new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.'),
  invalidArgument: (name: string, value: string, message: string) =>
    new ServiceError('InvalidArgument', 400, message, { details: { ArgumentName: name, ArgumentValue: value } }),
  invalidBucketName: (bucket: string) =>
    new ServiceError('InvalidBucketName', 400, 'The specified bucket is not valid.', { details: { BucketName: bucket } }),
  invalidLocation: (constraint: string) =>
    new ServiceError('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', {
      details: { LocationConstraint: constraint },
    }),
  invalidPart: (uploadId: string, partNumber: number, etag: string) =>
    new ServiceError(
      'InvalidPart',
      400,
      'One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not ' +
        "match the part's entity tag.",
      { details: { UploadId: uploadId, PartNumber: String(partNumber), ETag: etag } },
    ),
  invalidPartOrder: (uploadId: string) =>
    new ServiceError('InvalidPartOrder', 400, 'The list of parts was not in ascending order. Parts must be ordered by part number.', {
      details: { UploadId: uploadId },
    }),
  invalidPartNumber: (partNumber: number, parts: number) =>
    new ServiceError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
      details: { PartNumberRequested: String(partNumber), ActualPartCount: String(parts) },
    }),
  invalidObjectState: (storageClass: string) =>
    new ServiceError('InvalidObjectState', 403, "Restore is not allowed for the object's current storage class", {
      details: { StorageClass: storageClass },
    }),
  invalidRange: (range: string, bytes: number) =>
    new ServiceError('InvalidRange', 416, 'The requested range is not satisfiable', {
      details: { RangeRequested: range, ActualObjectSize: String(bytes) },
      headers: { 'content-range': `bytes */${bytes}` },
    }),
  invalidRequest: (message: string) => new ServiceError('InvalidRequest', 400, message),
  invalidStorageClass: (given: string) =>
    new ServiceError('InvalidStorageClass', 400, 'The storage class you specified is not valid', {
      details: { StorageClassRequested: given },
    }),
  invalidTag: (message: string, key: string, value?: string) =>
    new ServiceError('InvalidTag', 400, message, { details: { TagKey: key, ...(value !== undefined && { TagValue: value }) } }),
  keyTooLong: (bytes: number, bytesMax: number) =>
    new ServiceError('KeyTooLongError', 400, 'Your key is too long', {
      details: { Size: String(bytes), MaxSizeAllowed: String(bytesMax) },
    }),
  kmsDisabled: (key: string) => new ServiceError('KMS.DisabledException', 400, `${key} is disabled.`),
  kmsNotFound: (key: string) => new ServiceError('KMS.NotFoundException', 400, `Key '${key}' does not exist`),
  illegalVersioning: (message = 'The Versioning element must be specified') =>
    new ServiceError('IllegalVersioningConfigurationException', 400, message),
  invalidBucketState: (message: string) => new ServiceError('InvalidBucketState', 409, message),
  malformedXml: (why?: string) =>
    new ServiceError(
      'MalformedXML',
      400,
      `The XML you provided was not well-formed or did not validate against our published schema${why === undefined ? '' : `. ${why}`}`,
    ),
  malformedPolicy: (message: string) => new ServiceError('MalformedPolicy', 400, message),
  metadataTooLarge: (bytes: number, bytesMax: number) =>
    new ServiceError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
      details: { Size: String(bytes), MaxSizeAllowed: String(bytesMax) },
    }),
  noLockConfiguration: () => new ServiceError('InvalidRequest', 400, 'Bucket is missing Object Lock Configuration'),
  noSuchBucket: (bucket: string) =>
    new ServiceError('NoSuchBucket', 404, 'The specified bucket does not exist', { details: { BucketName: bucket } }),
  noSuchBucketLock: (bucket: string) =>
    new ServiceError('ObjectLockConfigurationNotFoundError', 404, 'Object Lock configuration does not exist for this bucket', {
      details: { BucketName: bucket },
    }),
  noSuchBucketPolicy: (bucket: string) =>
    new ServiceError('NoSuchBucketPolicy', 404, 'The bucket policy does not exist', { details: { BucketName: bucket } }),
  noSuchConfiguration: (bucket: string) =>
    new ServiceError('NoSuchConfiguration', 404, 'The specified configuration does not exist.', { details: { BucketName: bucket } }),
  noSuchCors: (bucket: string) =>
    new ServiceError('NoSuchCORSConfiguration', 404, 'The CORS configuration does not exist', { details: { BucketName: bucket } }),
  noSuchLifecycle: (bucket: string) =>
    new ServiceError('NoSuchLifecycleConfiguration', 404, 'The lifecycle configuration does not exist', {
      details: { BucketName: bucket },
    }),
  noSuchObjectLock: (key: string) =>
    new ServiceError('NoSuchObjectLockConfiguration', 404, 'The specified object does not have a ObjectLock configuration', {
      details: { Key: key },
    }),
  noSuchPublicAccessBlock: (bucket: string) =>
    new ServiceError('NoSuchPublicAccessBlockConfiguration', 404, 'The public access block configuration was not found', {
      details: { BucketName: bucket },
    }),
  noSuchReplication: (bucket: string) =>
    new ServiceError('ReplicationConfigurationNotFoundError', 404, 'The replication configuration was not found', {
      details: { BucketName: bucket },
    }),
  noSuchTagSet: (bucket: string) => new ServiceError('NoSuchTagSet', 404, 'The TagSet does not exist', { details: { BucketName: bucket } }),
  noSuchWebsite: (bucket: string) =>
    new ServiceError('NoSuchWebsiteConfiguration', 404, 'The specified bucket does not have a website configuration', {
      details: { BucketName: bucket },
    }),
  methodNotAllowed: (what: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
    new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', { details: what, headers }),
  noSuchKey: (key: string, headers: Readonly<Record<string, string>> = {}) =>
    new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { details: { Key: key }, headers }),
  noSuchUpload: (uploadId: string) =>
    new ServiceError(
      'NoSuchUpload',
      404,
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      { details: { UploadId: uploadId } },
    ),
  noSuchVersion: (key: string, versionId: string) =>
    new ServiceError('NoSuchVersion', 404, 'The specified version does not exist.', { details: { Key: key, VersionId: versionId } }),
  /** What HEAD answers, which has no body to tell more. */
  notFound: (headers: Readonly<Record<string, string>> = {}) => new ServiceError('NotFound', 404, 'Not Found', { headers }),
  notImplemented: (name: string) =>
    new ServiceError('NotImplemented', 501, `A header you provided implies functionality that is not implemented: ${name}`, {
      details: { Header: name },
    }),
  /** A whole feature of S3 that there is not; `what` names it, and what to use instead. */
  notOffered: (what: string) => new ServiceError('NotImplemented', 501, `A feature you asked for is not offered by this server: ${what}`),
  objectLocked: () => new ServiceError('AccessDenied', 403, 'Access Denied because object protected by object lock.'),
  notModified: (headers: Readonly<Record<string, string>>) => new ServiceError('NotModified', 304, 'Not Modified', { headers }),
  operationAborted: () =>
    new ServiceError(
      'OperationAborted',
      409,
      'A conflicting conditional operation is currently in progress against this resource. Try again.',
    ),
  preconditionFailed: (condition: string) =>
    new ServiceError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
      details: { Condition: condition },
    }),
} as const

// The S3 service: its operations by name, and the policies of its buckets.
import type { Service } from '../../engine/operation.ts'
import { parseArn } from '../../model/arn.ts'
import { nullMembersError } from '../../model/missing-members.ts'
import { Table } from '../../model/tables.ts'
import { getBucketAcl } from './access/get-bucket-acl.ts'
import { getBucketPolicyStatus } from './access/get-bucket-policy-status.ts'
import { getObjectAcl } from './access/get-object-acl.ts'
import { deleteBucketOwnershipControls, getBucketOwnershipControls, putBucketOwnershipControls } from './access/ownership-controls.ts'
import { deletePublicAccessBlock, getPublicAccessBlock, putPublicAccessBlock } from './access/public-access-block.ts'
import { putBucketAcl } from './access/put-bucket-acl.ts'
import { putObjectAcl } from './access/put-object-acl.ts'
import { effectivePolicy } from './access/public-policy.ts'
import { copyObject } from './copy-object.ts'
import { createBucket } from './create-bucket.ts'
import { deleteBucketEncryption } from './delete-bucket-encryption.ts'
import { deleteBucketLifecycle } from './delete-bucket-lifecycle.ts'
import { deleteBucketPolicy } from './delete-bucket-policy.ts'
import { deleteBucketTagging } from './delete-bucket-tagging.ts'
import { deleteBucket } from './delete-bucket.ts'
import { deleteObjectTagging } from './delete-object-tagging.ts'
import { deleteObject } from './delete-object.ts'
import { deleteObjects } from './delete-objects.ts'
import { errors } from './errors.ts'
import { getBucketEncryption } from './get-bucket-encryption.ts'
import { getBucketLifecycleConfiguration } from './get-bucket-lifecycle-configuration.ts'
import { getBucketLocation } from './get-bucket-location.ts'
import { getBucketNotificationConfiguration } from './get-bucket-notification-configuration.ts'
import { getBucketPolicy } from './get-bucket-policy.ts'
import { getBucketTagging } from './get-bucket-tagging.ts'
import { getBucketVersioning } from './get-bucket-versioning.ts'
import { getObjectAttributes } from './get-object-attributes.ts'
import { getObjectTagging } from './get-object-tagging.ts'
import { getObject } from './get-object.ts'
import { headBucket } from './head-bucket.ts'
import { headObject } from './head-object.ts'
import { listBuckets } from './list-buckets.ts'
import { listObjectVersions } from './list-object-versions.ts'
import { listObjectsV2 } from './list-objects-v2.ts'
import { listObjects } from './list-objects.ts'
import { getObjectLegalHold } from './lock/get-object-legal-hold.ts'
import { getObjectLockConfiguration } from './lock/get-object-lock-configuration.ts'
import { getObjectRetention } from './lock/get-object-retention.ts'
import { putObjectLegalHold } from './lock/put-object-legal-hold.ts'
import { putObjectLockConfiguration } from './lock/put-object-lock-configuration.ts'
import { putObjectRetention } from './lock/put-object-retention.ts'
import { s3Model } from './model.ts'
import { abortMultipartUpload } from './multipart/abort-multipart-upload.ts'
import { completeMultipartUpload } from './multipart/complete-multipart-upload.ts'
import { createMultipartUpload } from './multipart/create-multipart-upload.ts'
import { listMultipartUploads } from './multipart/list-multipart-uploads.ts'
import { listParts } from './multipart/list-parts.ts'
import { uploadPartCopy } from './multipart/upload-part-copy.ts'
import { uploadPart } from './multipart/upload-part.ts'
import { putBucketEncryption } from './put-bucket-encryption.ts'
import { putBucketLifecycleConfiguration } from './put-bucket-lifecycle-configuration.ts'
import { putBucketNotificationConfiguration } from './put-bucket-notification-configuration.ts'
import { putBucketPolicy } from './put-bucket-policy.ts'
import { putBucketTagging } from './put-bucket-tagging.ts'
import { putBucketVersioning } from './put-bucket-versioning.ts'
import { putObjectTagging } from './put-object-tagging.ts'
import { putObject } from './put-object.ts'
import { requestDetails } from './record.ts'
import { restoreObject } from './restore-object.ts'
import { unoffered } from './unoffered.ts'
import { unsetConfigurations } from './unset-configurations.ts'

export const s3 = {
  name: 's3',
  eventSource: 's3.amazonaws.com',
  actionPrefix: 's3',
  model: s3Model,
  operations: {
    AbortMultipartUpload: abortMultipartUpload,
    CompleteMultipartUpload: completeMultipartUpload,
    CopyObject: copyObject,
    CreateBucket: createBucket,
    CreateMultipartUpload: createMultipartUpload,
    DeleteBucket: deleteBucket,
    DeleteBucketEncryption: deleteBucketEncryption,
    DeleteBucketLifecycle: deleteBucketLifecycle,
    DeleteBucketOwnershipControls: deleteBucketOwnershipControls,
    DeleteBucketPolicy: deleteBucketPolicy,
    DeleteBucketTagging: deleteBucketTagging,
    DeleteObject: deleteObject,
    DeleteObjectTagging: deleteObjectTagging,
    DeleteObjects: deleteObjects,
    DeletePublicAccessBlock: deletePublicAccessBlock,
    GetBucketAcl: getBucketAcl,
    GetBucketEncryption: getBucketEncryption,
    GetBucketLifecycleConfiguration: getBucketLifecycleConfiguration,
    GetBucketLocation: getBucketLocation,
    GetBucketNotificationConfiguration: getBucketNotificationConfiguration,
    GetBucketOwnershipControls: getBucketOwnershipControls,
    GetBucketPolicy: getBucketPolicy,
    GetBucketPolicyStatus: getBucketPolicyStatus,
    GetBucketTagging: getBucketTagging,
    GetBucketVersioning: getBucketVersioning,
    GetObject: getObject,
    GetObjectAcl: getObjectAcl,
    GetObjectAttributes: getObjectAttributes,
    GetObjectLegalHold: getObjectLegalHold,
    GetObjectLockConfiguration: getObjectLockConfiguration,
    GetObjectRetention: getObjectRetention,
    GetObjectTagging: getObjectTagging,
    GetPublicAccessBlock: getPublicAccessBlock,
    HeadBucket: headBucket,
    HeadObject: headObject,
    ListBuckets: listBuckets,
    ListMultipartUploads: listMultipartUploads,
    ListObjectVersions: listObjectVersions,
    ListObjects: listObjects,
    ListObjectsV2: listObjectsV2,
    ListParts: listParts,
    PutBucketAcl: putBucketAcl,
    PutBucketEncryption: putBucketEncryption,
    PutBucketLifecycleConfiguration: putBucketLifecycleConfiguration,
    PutBucketNotificationConfiguration: putBucketNotificationConfiguration,
    PutBucketOwnershipControls: putBucketOwnershipControls,
    PutBucketPolicy: putBucketPolicy,
    PutBucketTagging: putBucketTagging,
    PutBucketVersioning: putBucketVersioning,
    PutObject: putObject,
    PutObjectAcl: putObjectAcl,
    PutObjectLegalHold: putObjectLegalHold,
    PutObjectLockConfiguration: putObjectLockConfiguration,
    PutObjectRetention: putObjectRetention,
    PutObjectTagging: putObjectTagging,
    PutPublicAccessBlock: putPublicAccessBlock,
    RestoreObject: restoreObject,
    UploadPart: uploadPart,
    UploadPartCopy: uploadPartCopy,
    ...unoffered,
    ...unsetConfigurations,
  },
  resourcePolicy(tables, arn) {
    const name = parseArn(arn)?.resource.split('/', 1)[0] ?? ''
    const bucket = tables.get(Table.buckets, name)
    if (bucket === undefined) return undefined
    return { owner: bucket.owner, policy: effectivePolicy(bucket) }
  },
  accessDenied: errors.accessDenied,
  internalError: errors.internalError,
  recordsDataEvents: 'when-selected',
  additional: requestDetails,
  missing: nullMembersError,
} as const satisfies Service

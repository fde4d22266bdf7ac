// PutObjectAcl: lists are disabled; only the one that holds anyway is taken.
import type { Operation } from '../../../engine/operation.ts'
import { objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { type AclInput, checkAcl } from './owner-grant.ts'

export const putObjectAcl: Operation<ObjectInput & AclInput, object> = {
  name: 'PutObjectAcl',
  access: 'write',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'PutObjectAcl' : 'PutObjectVersionAcl'),
  resource: objectResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        acl: '',
        versionId: input.VersionId,
        'x-amz-acl': input.ACL,
        AccessControlPolicy: input.AccessControlPolicy,
      }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input) {
    checkAcl(input, existingObject(tx, input).bucket.owner, 'bucket-owner-full-control')
    return {}
  },
}

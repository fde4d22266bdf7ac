// GetObjectAcl: the bucket's owner has full control of every object.
import type { Operation } from '../../../engine/operation.ts'
import { objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { type AclOutput, ownerAcl } from './owner-grant.ts'

export const getObjectAcl: Operation<ObjectInput, AclOutput> = {
  name: 'GetObjectAcl',
  access: 'read',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'GetObjectAcl' : 'GetObjectVersionAcl'),
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { acl: '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run: (tx, input) => ownerAcl(existingObject(tx, input).bucket.owner),
}

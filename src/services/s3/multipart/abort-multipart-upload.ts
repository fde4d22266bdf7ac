// AbortMultipartUpload: the upload is gone at once, its parts soon after.
import type { Operation } from '../../../engine/operation.ts'
import { Table } from '../../../model/tables.ts'
import { errors } from '../errors.ts'
import { objectResource } from '../existing-bucket.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { clearPartsSoon, existingUpload, type UploadInput } from './uploads.ts'

interface Input extends UploadInput {
  readonly IfMatchInitiatedTime?: Date
}

export const abortMultipartUpload: Operation<Input, object> = {
  name: 'AbortMultipartUpload',
  access: 'write',
  data: true,
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { uploadId: input.UploadId }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input) {
    const { upload, row } = existingUpload(tx, input)
    const { IfMatchInitiatedTime: time } = input
    if (time !== undefined && Math.floor(upload.initiatedAt / 1000) !== Math.floor(time.getTime() / 1000))
      throw errors.preconditionFailed('x-amz-if-match-initiated-time')
    tx.delete(Table.multipartUploads, row)
    return {}
  },
  answer(output, call, input) {
    clearPartsSoon(call.env, input.UploadId)
    return output
  },
}

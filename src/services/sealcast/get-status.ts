// GetStatus: how the server is, for `sealcast status` and for health checks that may ask more.
import type { Status } from '../../model/status.ts'
import type { SealcastOperation } from './operation.ts'

export const getStatus: SealcastOperation<object, Status> = ({ status }) => ({
  name: 'GetStatus',
  access: 'read',
  run: () => status(),
})

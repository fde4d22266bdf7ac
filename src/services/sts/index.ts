// The operations of STS.
import type { Service } from '../../engine/operation.ts'
import { nullMembersError } from '../../model/missing-members.ts'
import { accessDenied, internalError } from './errors.ts'
import { getAccessKeyInfo } from './get-access-key-info.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import { stsModel } from './model.ts'

export const sts = {
  name: 'sts',
  eventSource: 'sts.amazonaws.com',
  actionPrefix: 'sts',
  model: stsModel,
  operations: {
    GetAccessKeyInfo: getAccessKeyInfo,
    GetCallerIdentity: getCallerIdentity,
  },
  accessDenied,
  internalError,
  recordsDataEvents: 'when-selected',
  missing: nullMembersError,
} satisfies Service

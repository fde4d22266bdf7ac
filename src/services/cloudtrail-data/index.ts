// CloudTrail's data service: its one operation, and who may use a channel.
import { policyOf } from '../../engine/policies.ts'
import type { Service } from '../../engine/operation.ts'
import { nullMembersError } from '../../model/missing-members.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { cloudtrailDataModel } from './model.ts'
import { putAuditEvents } from './put-audit-events.ts'

export const cloudtrailData = {
  name: 'cloudtrail-data',
  eventSource: 'cloudtrail-data.amazonaws.com',
  actionPrefix: 'cloudtrail-data',
  model: cloudtrailDataModel,
  operations: { PutAuditEvents: putAuditEvents },
  resourcePolicy(tables, arn) {
    const channel = tables.get(Table.channels, arn)
    if (channel === undefined) return undefined
    return { owner: channel.account, policy: channel.policy === undefined ? undefined : policyOf(channel, channel.policy) }
  },
  accessDenied: errors.accessDenied,
  internalError: errors.internalError,
  recordsDataEvents: 'when-selected',
  missing: nullMembersError,
} as const satisfies Service

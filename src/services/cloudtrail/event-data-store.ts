// The event data store of an account: the lake, told in CloudTrail's form. It is there from the start and cannot be changed.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { eventDataStoreArn } from '../../model/channel.ts'
import type { AdvancedEventSelector } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'

export interface EventDataStoreForm {
  readonly EventDataStoreArn: string
  readonly Name: string
  readonly Status: 'ENABLED'
  readonly AdvancedEventSelectors: readonly AdvancedEventSelector[]
  readonly MultiRegionEnabled: boolean
  readonly OrganizationEnabled: boolean
  readonly RetentionPeriod: number
  readonly TerminationProtectionEnabled: boolean
  readonly CreatedTimestamp: Date
  readonly UpdatedTimestamp: Date
}

export function eventDataStore(tables: TableReader, call: Call, retentionDays: number): EventDataStoreForm {
  const createdAt = new Date(tables.get(Table.accounts, call.account)?.createdAt ?? 0)
  return {
    EventDataStoreArn: eventDataStoreArn(call.account, call.region),
    Name: 'sealcast-lake',
    Status: 'ENABLED',
    AdvancedEventSelectors: SELECTORS,
    MultiRegionEnabled: true,
    OrganizationEnabled: false,
    RetentionPeriod: retentionDays,
    TerminationProtectionEnabled: true,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: createdAt,
  }
}

const equals = (field: string, value: string): AdvancedEventSelector['FieldSelectors'][number] => ({ Field: field, Equals: [value] })

/** What the lake takes in without being asked. */
const SELECTORS: readonly AdvancedEventSelector[] = [
  { Name: 'Management events', FieldSelectors: [equals('eventCategory', 'Management')] },
  { Name: 'Publishes', FieldSelectors: [equals('eventCategory', 'Data'), equals('resources.type', 'AWS::SNS::Topic')] },
  { Name: 'Events of channels', FieldSelectors: [equals('eventCategory', 'ActivityAuditLog')] },
]

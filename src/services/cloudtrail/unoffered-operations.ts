// The operations of CloudTrail that are not offered. Each is a call like any other, authorised and on the record, and answers with the
// error that CloudTrail gives where an operation is not supported; the remedy says what serves instead.
import type { Operation } from '../../engine/operation.ts'
import { channelErrors } from './channel-errors.ts'
import { errors } from './errors.ts'

const STORE = 'the event data store of an account is the lake, which is there from the start; its settings are those of the server'
const QUERIES = 'ask the lake with `sealcast query`'
const DASHBOARDS = 'there are no dashboards'
const FEDERATION = 'the lake is read with `sealcast query`, not through Glue and Athena'
const IMPORTS = 'bring in log files with `sealcast import`'
const INSIGHTS = 'no insight events are made yet'
const ORGANIZATION = 'the account is not a member of an organization'

/** Why each is not offered, and what to do instead. */
export const UNOFFERED: Readonly<Record<string, string>> = {
  CancelQuery: QUERIES,
  CreateDashboard: DASHBOARDS,
  CreateEventDataStore: STORE,
  DeleteDashboard: DASHBOARDS,
  DeleteEventDataStore: STORE,
  DeregisterOrganizationDelegatedAdmin: ORGANIZATION,
  DescribeQuery: QUERIES,
  DisableFederation: FEDERATION,
  EnableFederation: FEDERATION,
  GenerateQuery: QUERIES,
  GetDashboard: DASHBOARDS,
  GetImport: IMPORTS,
  GetQueryResults: QUERIES,
  ListDashboards: DASHBOARDS,
  ListImportFailures: IMPORTS,
  ListImports: IMPORTS,
  ListInsightsData: INSIGHTS,
  ListInsightsMetricData: INSIGHTS,
  ListQueries: QUERIES,
  RegisterOrganizationDelegatedAdmin: ORGANIZATION,
  RestoreEventDataStore: STORE,
  SearchSampleQueries: QUERIES,
  StartDashboardRefresh: DASHBOARDS,
  StartEventDataStoreIngestion: STORE,
  StartImport: IMPORTS,
  StartQuery: QUERIES,
  StopEventDataStoreIngestion: STORE,
  StopImport: IMPORTS,
  UpdateDashboard: DASHBOARDS,
  UpdateEventDataStore: STORE,
}

export const unofferedOperations: Readonly<Record<string, Operation<object, never>>> = Object.fromEntries(
  Object.entries(UNOFFERED).map(([name, remedy]) => [name, unoffered(name, remedy)]),
)

function unoffered(name: string, remedy: string): Operation<object, never> {
  return {
    name,
    access: /^(Get|List|Describe|Search|Generate)/.test(name) ? 'read' : 'write',
    run() {
      throw remedy === ORGANIZATION ? errors.organization() : channelErrors.unoffered(name, remedy)
    },
  }
}

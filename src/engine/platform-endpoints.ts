// The endpoints of platform applications as they are now: for SNS's operations, and for who delivers to them.
import { type PlatformApplication, type PlatformEndpoint, applicationOfEndpoint } from '../model/platform.ts'
import { Table } from '../model/tables.ts'
import type { TableReader } from './tables.ts'

/** Endpoints go with their application at once, and their rows a while later. */
export function findEndpoint(tables: TableReader, endpointArn: string): PlatformEndpoint | undefined {
  const endpoint = tables.get(Table.platformEndpoints, endpointArn)
  const application = endpoint && tables.get(Table.platformApplications, applicationOfEndpoint(endpointArn))
  return application !== undefined && endpoint !== undefined && isOf(endpoint, application) ? endpoint : undefined
}

/** Not of an application of the same name that was there before. */
export function isOf(endpoint: PlatformEndpoint, application: PlatformApplication): boolean {
  return endpoint.generation === application.generation
}

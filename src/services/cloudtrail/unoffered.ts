// What trails of AWS can do and ours cannot yet: refused with AWS's own error, never taken in and ignored.
import { errors } from './errors.ts'

export interface UnofferedInput {
  readonly CloudWatchLogsLogGroupArn?: string
  readonly CloudWatchLogsRoleArn?: string
  readonly IsOrganizationTrail?: boolean
}

export function refuseUnoffered(input: UnofferedInput): void {
  if (input.CloudWatchLogsLogGroupArn || input.CloudWatchLogsRoleArn) throw errors.cloudWatchLogs()
  if (input.IsOrganizationTrail === true) throw errors.organization()
}

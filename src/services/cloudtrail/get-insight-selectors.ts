// GetInsightSelectors: those that were put on a trail.
import type { Operation } from '../../engine/operation.ts'
import type { InsightSelector } from '../../model/trail.ts'
import { channelErrors } from './channel-errors.ts'
import { type InsightInput, insightTrailName } from './insight-trail.ts'
import { findTrail, resolveTrailArn } from './trail-name.ts'

interface Output {
  readonly TrailARN: string
  readonly InsightSelectors: readonly InsightSelector[]
}

export const getInsightSelectors: Operation<InsightInput, Output> = {
  name: 'GetInsightSelectors',
  access: 'read',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, insightTrailName('GetInsightSelectors', input, call)),
  run(tx, input, call) {
    const { trailArn, name, insightSelectors } = findTrail(tx, call, insightTrailName('GetInsightSelectors', input, call))
    if (insightSelectors === undefined) throw channelErrors.insightsOff(name)
    return { TrailARN: trailArn, InsightSelectors: insightSelectors }
  },
}

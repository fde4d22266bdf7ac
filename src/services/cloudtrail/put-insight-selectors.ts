// PutInsightSelectors: which insights a trail is to have; an empty list turns them off. They are checked and kept with the trail.
import type { Operation } from '../../engine/operation.ts'
import { insightSelectorProblem } from '../../model/insight-selector.ts'
import type { InsightSelector } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import { channelErrors } from './channel-errors.ts'
import { insightTrailName, type InsightInput } from './insight-trail.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'

interface Input extends InsightInput {
  readonly InsightSelectors: readonly InsightSelector[]
  readonly InsightsDestination?: string
}

interface Output {
  readonly TrailARN: string
  readonly InsightSelectors: readonly InsightSelector[]
}

export const putInsightSelectors: Operation<Input, Output> = {
  name: 'PutInsightSelectors',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, insightTrailName('PutInsightSelectors', input, call)),
  run(tx, input, call) {
    const { InsightSelectors: selectors } = input
    const { insightSelectors: _, ...trail } = trailToChange(tx, call, insightTrailName('PutInsightSelectors', input, call))
    const problem = insightSelectorProblem(selectors, trail)
    if (problem !== undefined) throw channelErrors.insightSelectors(problem)
    tx.put(Table.trails, trail.trailArn, { ...trail, ...(selectors.length > 0 && { insightSelectors: selectors }) })
    return { TrailARN: trail.trailArn, InsightSelectors: selectors }
  },
}

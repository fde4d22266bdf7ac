// Insight selectors of a trail and what they ask of its event selectors (CloudTrail API reference, PutInsightSelectors).
import { defaultEventSelectors } from './event-selector.ts'
import type { AdvancedEventSelector, EventSelector, InsightSelector, Trail } from './trail.ts'

export const INSIGHT_TYPES = ['ApiCallRateInsight', 'ApiErrorRateInsight'] as const
export const INSIGHT_CATEGORIES = ['Management', 'Data'] as const

/** What is wrong, in words for the caller; undefined when nothing is. */
export function insightSelectorProblem(selectors: readonly InsightSelector[], trail: Trail): string | undefined {
  const seen = new Set<string>()
  const logged = loggedKinds(trail)
  for (const { InsightType: type, EventCategories: categories = ['Management'] } of selectors) {
    if (!INSIGHT_TYPES.some((known) => known === type))
      return `InsightType must be one of ${INSIGHT_TYPES.join(', ')}, not ${type ?? 'absent'}.`
    if (seen.has(type ?? '')) return `InsightType ${type} stands twice in InsightSelectors.`
    seen.add(type ?? '')
    if (categories.length === 0) return 'EventCategories names at least one category, or is left out.'
    if (new Set(categories).size < categories.length) return 'EventCategories names a category twice.'
    for (const category of categories) {
      if (!INSIGHT_CATEGORIES.some((known) => known === category))
        return `EventCategories takes ${INSIGHT_CATEGORIES.join(' and ')}, not ${category}.`
      if (category === 'Data' && !logged.has('data'))
        return `${type} on data events needs a trail that logs data events. Select some with PutEventSelectors first.`
      if (category === 'Management' && type === 'ApiCallRateInsight' && !logged.has('write'))
        return 'ApiCallRateInsight needs a trail that logs write management events. Select them with PutEventSelectors first.'
      if (category === 'Management' && !logged.has('write') && !logged.has('read'))
        return 'ApiErrorRateInsight needs a trail that logs management events. Select them with PutEventSelectors first.'
    }
  }
  return undefined
}

type Kind = 'read' | 'write' | 'data'

function loggedKinds({ eventSelectors, advancedEventSelectors }: Trail): ReadonlySet<Kind> {
  return new Set(advancedEventSelectors?.flatMap(advancedKinds) ?? (eventSelectors ?? defaultEventSelectors).flatMap(basicKinds))
}

function basicKinds(selector: EventSelector): readonly Kind[] {
  const { ReadWriteType: type = 'All', IncludeManagementEvents: hasManagement = true, DataResources: resources = [] } = selector
  const management: readonly Kind[] = type === 'All' ? ['read', 'write'] : type === 'ReadOnly' ? ['read'] : ['write']
  return [...(hasManagement ? management : []), ...(resources.length > 0 ? (['data'] as const) : [])]
}

function advancedKinds({ FieldSelectors }: AdvancedEventSelector): readonly Kind[] {
  const equals = (name: string): string | undefined => FieldSelectors.find(({ Field }) => Field === name)?.Equals?.[0]
  const category = equals('eventCategory')
  if (category === 'Data') return ['data']
  if (category !== 'Management') return []
  const readOnly = equals('readOnly')
  return readOnly === undefined ? ['read', 'write'] : readOnly === 'true' ? ['read'] : ['write']
}

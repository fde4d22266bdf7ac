// ListOriginationNumbers: the numbers that the SMS provider sends from; none without a provider.
import type { ListOriginationNumbersRequest, ListOriginationNumbersResult } from '@aws-sdk/client-sns'
import { checkRange, invalidParameter } from '../errors.ts'
import type { SnsOperation } from '../operation.ts'

const PAGE_MAX = 30

export const listOriginationNumbers: SnsOperation<ListOriginationNumbersRequest, ListOriginationNumbersResult> = ({ sms }) => ({
  name: 'ListOriginationNumbers',
  access: 'read',
  run(_tx, input) {
    const max = checkRange(input.MaxResults ?? PAGE_MAX, 'maxResults', 1, PAGE_MAX)
    const all = sms?.originationNumbers ?? []
    const start = Number(input.NextToken ?? 0)
    if (!Number.isInteger(start) || start < 0 || (start > 0 && start >= all.length)) throw invalidParameter('NextToken')
    const end = start + max
    return {
      PhoneNumbers: all.slice(start, end).map(({ phoneNumber, country, route }) => ({
        PhoneNumber: phoneNumber,
        Status: 'Active',
        Iso2CountryCode: country,
        RouteType: route,
        NumberCapabilities: ['SMS'],
      })),
      NextToken: end < all.length ? String(end) : undefined,
    }
  },
})

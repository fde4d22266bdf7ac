// HEAD has no body to tell one absence from another: an absent bucket, an absent key, both read NotFound.
import { ServiceError } from '../../model/service-error.ts'
import { errors } from './errors.ts'

export function withHeadErrors<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw error instanceof ServiceError && error.status === 404 ? errors.notFound(error.headers) : error
  }
}

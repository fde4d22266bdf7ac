// GetPlatformApplicationAttributes: all but the credentials.
import type { GetPlatformApplicationAttributesInput, GetPlatformApplicationAttributesResponse } from '@aws-sdk/client-sns'
import type { SnsOperation } from '../operation.ts'
import { applicationArnOf, requireApplication } from './platform-arns.ts'

export const getPlatformApplicationAttributes: SnsOperation<
  GetPlatformApplicationAttributesInput,
  GetPlatformApplicationAttributesResponse
> = () => ({
  name: 'GetPlatformApplicationAttributes',
  access: 'read',
  resource: (input, call) => applicationArnOf(input.PlatformApplicationArn, call),
  run: (tx, input, call) => ({
    Attributes: { ...requireApplication(tx, applicationArnOf(input.PlatformApplicationArn, call)).attributes },
  }),
})

// What a refused call looks like to the SDK.
import type { SNSServiceException } from '@aws-sdk/client-sns'

/** Name, status and message of the refusal, as the SDK sees it. */
export async function refusalOf(call: Promise<unknown>): Promise<readonly [name: string, status: number | undefined, message: string]> {
  try {
    await call
  } catch (error) {
    const { name, message, $metadata } = error as SNSServiceException
    return [name, $metadata.httpStatusCode, message]
  }
  throw new Error('the call was not refused')
}

/** The refusal of a parameter. */
export const invalid = (message: string) => ['InvalidParameterException', 400, `Invalid parameter: ${message}`] as const

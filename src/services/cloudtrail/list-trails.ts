// ListTrails: the account's trails of all regions, a hundred at a time.
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { trailsOfAccount } from './trail-name.ts'

interface Output {
  readonly Trails: readonly { readonly TrailARN: string; readonly Name: string; readonly HomeRegion: string }[]
  readonly NextToken?: string
}

const PAGE_TRAILS = 100

export const listTrails: Operation<{ readonly NextToken?: string }, Output> = {
  name: 'ListTrails',
  access: 'read',
  run(tx, input, call) {
    const after = input.NextToken === undefined ? '' : Buffer.from(input.NextToken, 'base64url').toString('utf8')
    if (input.NextToken !== undefined && !after.startsWith('arn:')) throw errors.invalidToken()
    const trails = trailsOfAccount(tx, call.account).filter(({ trailArn }) => trailArn > after)
    const page = trails.slice(0, PAGE_TRAILS)
    const last = page.at(-1)
    return {
      Trails: page.map((trail) => ({ TrailARN: trail.trailArn, Name: trail.name, HomeRegion: trail.homeRegion })),
      ...(trails.length > page.length && last !== undefined && { NextToken: Buffer.from(last.trailArn).toString('base64url') }),
    }
  },
}

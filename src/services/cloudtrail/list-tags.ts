// ListTags of up to twenty trails and channels.
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { taggedResource } from './tagged-resource.ts'
import { type Tag, tagList } from './tags.ts'

interface Output {
  readonly ResourceTagList: readonly { readonly ResourceId: string; readonly TagsList: readonly Tag[] }[]
}

const RESOURCES_MAX = 20

export const listTags: Operation<{ readonly ResourceIdList: readonly string[] }, Output> = {
  name: 'ListTags',
  access: 'read',
  run(tx, input, call) {
    const { ResourceIdList: arns } = input
    if (arns.length > RESOURCES_MAX)
      throw errors.invalidParameter(`ResourceIdList names at most ${RESOURCES_MAX} resources; ${arns.length} were given.`)
    return {
      ResourceTagList: arns.map((arn) => {
        const { account, tags } = taggedResource(tx, call, arn)
        if (account !== call.account) throw errors.trailMissing(arn, call.account)
        return { ResourceId: arn, TagsList: tagList(tags) }
      }),
    }
  },
}

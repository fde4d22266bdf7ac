// SignTree: a checkpoint over all that is on the record now, without waiting for the next by schedule.
import type { SealcastOperation } from './operation.ts'

export const signTree: SealcastOperation<object, { Checkpoint: string }> = ({ tree }) => ({
  name: 'SignTree',
  access: 'write',
  run: () => ({ Checkpoint: '' }),
  answer: async () => ({ Checkpoint: await tree.sign() }),
})

// Tail: events as they become durable. One event when the view opens, however long it lasts.
import type { Lines, SealcastOperation } from './operation.ts'

export const tail: SealcastOperation<object, Lines> = ({ live }) => ({
  name: 'Tail',
  access: 'read',
  run: () => ({ lines: live.watch() }),
})

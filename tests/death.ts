// The end of a process at a chosen step: of what works with the cut Env, calls and commits are counted, and the n-th and all after it never
// come to an end. Before and after each of them counts.
import type { Env } from '../src/engine/env.ts'

export interface Death {
  /** Settles when the step is reached. */
  readonly met: Promise<void>
  readonly cut: (env: Env) => Env
  isMet(): boolean
  /** From here on steps count. */
  arm(): void
  disarm(): void
}

export function createDeath(atStep: number): Death {
  let steps = 0
  let isArmed = false
  const never = new Promise<never>(() => {})
  const { promise: met, resolve: meet } = Promise.withResolvers<void>()
  const isOver = (): boolean => {
    if (isArmed && ++steps >= atStep) meet()
    return isArmed && steps >= atStep
  }
  return {
    met,
    isMet: () => steps >= atStep,
    arm: () => void (isArmed = true),
    disarm: () => void (isArmed = false),
    cut: (env) => ({
      ...env,
      invoke: async (request) => {
        if (isOver()) return never
        const result = await env.invoke(request)
        return isOver() ? never : result
      },
      commits: {
        commit: (work: Parameters<Env['commits']['commit']>[0]) => {
          if (isOver()) throw new Error('cut')
          const committed = env.commits.commit(work)
          return isOver() ? { ...committed, done: never } : committed
        },
      } as unknown as Env['commits'],
    }),
  }
}

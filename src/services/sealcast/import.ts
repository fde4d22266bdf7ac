// Import: CloudTrail files as AWS writes them, into the lake. Lines of progress, then what came of it.
import { isAbsolute } from 'node:path'
import type { Act, Acts } from '../../engine/acts.ts'
import type { LakeImport, LakeImportProgress } from '../../storage/lake.ts'
import { badRequest } from './errors.ts'
import type { Lines, SealcastOperation, SealcastParts } from './operation.ts'

export interface ImportInput {
  /** Absolute paths on the server's machine. */
  readonly Paths?: readonly string[]
}

export const importFiles: SealcastOperation<ImportInput, Lines> = (parts) => ({
  name: 'Import',
  access: 'write',
  record: { parameters: ({ Paths: paths }) => ({ paths }), response: () => null },
  run(_tx, { Paths: paths }) {
    if (!Array.isArray(paths) || paths.length === 0 || !paths.every((path) => typeof path === 'string' && isAbsolute(path)))
      throw badRequest('Paths: give the absolute paths of files or folders')
    return { lines: emptyLines() }
  },
  answer: (_output, { env }, input) => ({ lines: answerImport(parts, env.acts, input.Paths ?? []) }),
})

async function* answerImport({ lake }: SealcastParts, acts: Acts, paths: readonly string[]): AsyncGenerator<unknown> {
  const stop = new AbortController()
  let latest: LakeImportProgress | undefined
  let wake: (() => void) | undefined
  let isOver = false
  let outcome: Omit<Act, 'name'> | undefined
  const result = lake
    .importPaths(paths, {
      signal: stop.signal,
      onProgress(progress) {
        latest = progress
        wake?.()
      },
    })
    .finally(() => {
      isOver = true
      wake?.()
    })
  try {
    while (!isOver) {
      if (latest !== undefined) yield { progress: latest }
      latest = undefined
      if (!isOver) await new Promise<void>((resolve) => (wake = resolve))
    }
    outcome = await describeOutcome(result)
    await acts.record({ name: 'ImportRan', ...outcome })
    yield { result: await result }
  } finally {
    stop.abort()
    // Who asked has gone; what was read whole is in.
    if (outcome === undefined) await acts.record({ name: 'ImportRan', ...(await describeOutcome(result)) })
  }
}

function describeOutcome(result: Promise<LakeImport>): Promise<Omit<Act, 'name'>> {
  return result.then(
    ({ files, records, imported, duplicates, rejected, skippedFiles }) => ({
      details: { files, records, imported, duplicates, rejected, skippedFiles },
    }),
    (error: unknown) => ({ error: { code: 'ImportFailed', message: error instanceof Error ? error.message : String(error) } }),
  )
}

async function* emptyLines(): AsyncGenerator<unknown> {}

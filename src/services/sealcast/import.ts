// Import: CloudTrail files as AWS writes them, into the lake. Lines of progress, then what came of it.
import { isAbsolute } from 'node:path'
import type { LakeImportProgress } from '../../storage/lake.ts'
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
  answer: (_output, _call, input) => ({ lines: answerImport(parts, input.Paths ?? []) }),
})

async function* answerImport({ lake }: SealcastParts, paths: readonly string[]): AsyncGenerator<unknown> {
  const stop = new AbortController()
  let latest: LakeImportProgress | undefined
  let wake: (() => void) | undefined
  let isOver = false
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
    yield { result: await result }
  } finally {
    stop.abort()
    await result.catch(() => {})
  }
}

async function* emptyLines(): AsyncGenerator<unknown> {}

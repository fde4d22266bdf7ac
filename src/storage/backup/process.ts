// The child process that copies: it reads, hashes and writes at low priority and rests half of the time, so that commits have the disk and
// the processors when they want them. It ends when its parent does.
import { constants, setPriority } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import type { BackupFile, BackupHead, BackupRun, BackupSeal } from '../backup.ts'
import type { Files } from '../files.ts'
import { BackupWriter } from './writer.ts'

export type ToCopier =
  | { readonly id: number; readonly kind: 'begin'; readonly run: BackupRun; readonly elsewhere: Required<Files>['elsewhere'] }
  | { readonly id: number; readonly kind: 'copy'; readonly files: readonly BackupFile[]; readonly isFinal: boolean }
  | {
      readonly id: number
      readonly kind: 'finish'
      readonly head: Omit<BackupHead, 'generation'>
      readonly keep: number | undefined
      readonly seal: BackupSeal | undefined
    }
export type FromCopier =
  | { readonly id: number; readonly value: unknown; readonly progress: ReturnType<BackupWriter['progress']> | undefined }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string; readonly code?: string } }

if (process.send !== undefined) serve()

function serve(): void {
  // The terminal sends its signals to the whole group; the parent decides when we go.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  process.on('disconnect', () => process.exit(0))
  lowerPriority()
  let writer: BackupWriter | undefined
  const handle = async (message: ToCopier): Promise<unknown> => {
    if (message.kind === 'begin') {
      const begun = new BackupWriter(await filesFrom(message.elsewhere), message.run, createRest())
      writer = begun
      return begun.generation
    }
    const begun = writer
    if (begun === undefined) throw new Error('the copy was not begun')
    if (message.kind === 'copy') return message.files.filter((file) => !begun.copy(file, message.isFinal)).map(({ path }) => path)
    return begun.finish(message.head, message.keep, message.seal)
  }
  process.on('message', (message: ToCopier) => {
    handle(message).then(
      (value) => process.send?.({ id: message.id, value, progress: writer?.progress() }),
      ({ name, message: text, code }: NodeJS.ErrnoException) =>
        process.send?.({ id: message.id, error: { name, message: text, ...(code !== undefined && { code }) } }),
    )
  })
}

async function filesFrom({ module, name }: Required<Files>['elsewhere']): Promise<Files> {
  const { [name]: open } = (await import(module)) as Record<string, (() => Files) | undefined>
  if (open === undefined) throw new Error(`${module} does not export ${name}`)
  return open()
}

/** Rests as long as it has worked. */
function createRest(): () => void {
  const word = new Int32Array(new SharedArrayBuffer(4))
  let since = systemClock.monotonic()
  return () => {
    Atomics.wait(word, 0, 0, Math.min(200, systemClock.monotonic() - since))
    since = systemClock.monotonic()
  }
}

function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Some sandboxes forbid it; copying works as well without.
  }
}

// What all crash runs share: what they are told, and how they end.
import assert from 'node:assert/strict'
import { type TestServer, runCommand } from '../server.ts'

export interface CrashRun {
  readonly folder: string
  readonly seed: number
  readonly report: (line: string) => void
}

/** The server stops in good order, and fsck finds nothing in what the kills left behind. */
export async function endClean(server: TestServer, { folder, seed }: CrashRun): Promise<void> {
  assert.equal(await server.stop(), 0)
  const check = await runCommand(['fsck', '--data', folder])
  assert.equal(check.code, 0, `fsck is clean after seed ${seed}:\n${check.output}${check.notes}`)
}

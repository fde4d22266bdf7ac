// A message that is left for 14 days keeps no more of the disk than itself, whatever passes meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runOldMessage } from './old-message-run.ts'
import { temporaryFolder } from './server.ts'

test('one message left for 14 simulated days while others pass leaves the use of the disk flat', async () => {
  const folder = temporaryFolder()
  try {
    const told = await runOldMessage({ folder: folder.path, gigabytes: 6, scale: 1024, report: () => {} })
    assert.ok(told.segmentsWritten > 80, String(told.segmentsWritten))
    assert.equal(told.copiedBodies, 1)
    assert.ok(told.bytesLate <= told.bytesEarly * 1.02, `${told.bytesEarly} bytes early, ${told.bytesLate} late`)
  } finally {
    folder.remove()
  }
})

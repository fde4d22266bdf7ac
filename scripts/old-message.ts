// One message waits for 14 simulated days while 100 GB of others pass; tells how much disk is in use on the way, and fails if it grows.
// Everything is scaled down by one factor (messages, segments, bytes between checkpoints): as many segments come and go as 100 GB take.
//
//   node bin/node26.js scripts/old-message.ts [--gigabytes 100] [--scale 64] [--folder DIR]
import { parseArgs } from 'node:util'
import { runOldMessage } from '../tests/old-message-run.ts'
import { temporaryFolder } from '../tests/server.ts'

const { values } = parseArgs({ options: { gigabytes: { type: 'string' }, scale: { type: 'string' }, folder: { type: 'string' } } })
const temporary = temporaryFolder()
try {
  const told = await runOldMessage({
    folder: values.folder ?? temporary.path,
    gigabytes: Number(values.gigabytes ?? 100),
    scale: Number(values.scale ?? 64),
    report: (line) => void process.stdout.write(`${line}\n`),
  })
  process.stdout.write(`${JSON.stringify(told)}\n`)
  const isFlat = told.bytesLate <= told.bytesEarly * 1.02 && told.copiedBodies === 1
  process.stdout.write(isFlat ? '1 passed, 0 failed\n' : '0 passed, 1 failed: the use of the disk is not flat\n')
  if (!isFlat) process.exitCode = 1
} finally {
  temporary.remove()
}

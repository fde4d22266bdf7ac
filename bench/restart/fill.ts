// Fills one queue through the engine, in frames of a hundred messages of 1 KiB, then waits to be killed: fill.ts DATA-FOLDER COUNT
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openHouse } from '../../src/house/house.ts'
import { readSettings } from '../../src/model/config.ts'
import { settings } from '../../src/settings.ts'
import { openDataDirectory } from '../../src/storage/disk/data-directory.ts'
import { signatureErrors } from '../../src/wire/sigv4/errors.ts'

const [folder = '', count = '0'] = process.argv.slice(2)
const FRAME_MESSAGES = 100
const FRAMES_AT_ONCE = 32
const random = systemRandom()
const read = readSettings(settings, [])
if ('problems' in read) throw new Error(read.problems.join('\n'))
const house = await openHouse({
  config: read.values,
  clock: systemClock,
  random,
  log: silentLog,
  data: openDataDirectory(folder, random),
  version: 'bench',
  account: '000000000000',
  rootKey: { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all' },
  baseUrl: () => 'http://127.0.0.1',
  allow: [],
  signatureErrors,
  purpose: 'serve',
})
const body = 'x'.repeat(1024)
const header = { type: 'Queued', messageId: random.uuid(), publishedAt: systemClock.now() } as const
for (let sent = 0; sent < Number(count);) {
  const frames = []
  for (let frame = 0; frame < FRAMES_AT_ONCE && sent < Number(count); frame++, sent += FRAME_MESSAGES)
    frames.push(
      house.env.commits.commit((tx) => {
        for (let at = 0; at < FRAME_MESSAGES; at++) tx.enqueue(1, tx.message(header, body, false), { route: 0 })
      }).done,
    )
  await Promise.all(frames)
}
process.stdout.write(`${JSON.stringify({ filled: count })}\n`)

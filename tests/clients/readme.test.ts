// needs: aws
// The README's tour, pasted line by line.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startTestServer, temporaryFolder } from '../server.ts'
import { until } from '../until.ts'
import { runProgram } from './shell.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const folder = temporaryFolder()
const server = await startTestServer({ data: join(folder.path, 'sealcast-data'), words: ['--set', 'trail.deliveryIntervalSeconds=1'] })
after(async () => {
  await server.kill()
  folder.remove()
})

/** The shell lines below a heading of the README. */
function linesBelow(heading: string): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines]) => lines).join('\n')
}

test("the README's tour works as it stands there", async () => {
  // What `npm ci` in a clone gives: npx finds the command beside the folder it is called in.
  mkdirSync(join(folder.path, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(join(ROOT, 'bin', 'sealcast.js'), join(folder.path, 'node_modules', '.bin', 'sealcast'))
  const lines = linesBelow('The tour')
  assert.ok(lines.split('\n').length > 30)
  // A pasted line that fails ends the tour; `x=$(false)` fails as well.
  const { code, output, notes } = await runProgram('bash', ['-e', '-o', 'pipefail', '-c', lines], { folder: folder.path })
  assert.equal(code, 0, `${output}\n${notes}`)
  assert.match(output, /"Arn": "arn:aws:iam::000000000000:root"/)
  assert.match(output, /order 42 was paid/, 'the queue gives the message')
  assert.match(notes, /SignatureDoesNotMatch/, 'a stranger is refused')
  assert.match(output, /Publish +SignatureDoesNotMatch/, 'and told of')
  assert.match(output, /arn:aws:iam::000000000000:root +Publish +\d+/)
  assert.equal(
    notes.replaceAll(/^.*SignatureDoesNotMatch.*$|^\d+ rows?$|^npm warn.*$/gm, '').trim(),
    '',
    'nothing else was complained about',
  )

  const listed = await until('a log file in the bucket', async () => {
    const last = lines.trim().split('\n').at(-1) ?? ''
    const again = await runProgram('bash', ['-e', '-c', `eval "$(npx sealcast env)"\n${last}`], { folder: folder.path })
    return again.output.includes('.json.gz') ? again.output : undefined
  })
  assert.match(
    listed,
    /AWSLogs\/000000000000\/CloudTrail\/us-east-1\/\d{4}\/\d\d\/\d\d\/000000000000_CloudTrail_us-east-1_\d{8}T\d{4}Z_\w{16}\.json\.gz/,
  )
})

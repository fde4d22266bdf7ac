// Question: what does one RSA-2048 signature cost here, as the signing process makes it, and as OpenSSL would by itself? CPU of one process
// in alternating rounds. Both are the same where the signing process leaves OpenSSL as it is (docs/decisions/0028).
//   node bin/node26.js bench/signatures.ts [--signatures 1000] [--rounds 7] [--json]
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { signerEnvironment } from '../src/engine/signer.ts'
import { medianBy } from './load/pairs.ts'

const { values } = parseArgs({
  options: { signatures: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'boolean' }, child: { type: 'boolean' } },
})
const SIGNATURES = Number(values.signatures ?? 1000)

if (values.child === true) {
  const { generateKeyPairSync, sign } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const text = Buffer.alloc(600, 'x')
  sign('sha256', text, privateKey)
  const before = process.cpuUsage()
  for (let at = 0; at < SIGNATURES; at++) sign('sha256', text, privateKey)
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(`${(user + system) / SIGNATURES}\n`)
} else {
  const rounds = Array.from({ length: Number(values.rounds ?? 7) }, () => ({ ours: measured(signerEnvironment()), plain: measured({}) }))
  const { ours, plain } = medianBy(rounds, (round) => round.ours / round.plain) ?? { ours: 0, plain: 0 }
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ rounds, signatureUs: ours, plainUs: plain, ratio: ours / plain })}\n`
      : `${ours.toFixed(0)} us a signature, ${plain.toFixed(0)} us as OpenSSL chooses, ratio ${(ours / plain).toFixed(2)}\n`,
  )
}

/** Microseconds. */
function measured(env: Record<string, string>): number {
  const words = [import.meta.filename, '--child', '--signatures', String(SIGNATURES)]
  return Number(spawnSync(process.execPath, words, { env, encoding: 'utf8' }).stdout)
}

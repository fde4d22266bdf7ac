// sealcast verify: whether a trail's files, its tree and a proof are what was recorded. Needs no server, and trusts none.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { parseDigestKey } from '../../model/digest.ts'
import { type NoteKey, parseVerifierKey, splitNotes } from '../../model/tlog/signed-note.ts'
import { PublicKeys } from '../../verify/public-keys.ts'
import { UNPROVED_CODES, type UnprovedCode, type Verdict } from '../../verify/report.ts'
import type { LogReader, Source } from '../../verify/source.ts'
import type { TreeInput } from '../../verify/tree-check.ts'
import { verify as verifyFiles } from '../../verify/verify.ts'
import { type Command, CommandError, type Given, type Terminal, UsageError } from '../command.ts'
import { bucketLog, bucketSource, parseBucketPlace, publicKeysOf, regionOf } from '../verify/bucket.ts'
import { folderLog, folderSource } from '../verify/folder.ts'
import { createVerifyOutput } from '../verify/output.ts'
import { checkProof } from '../verify/proof.ts'

const options = {
  'public-keys': { kind: 'texts', value: 'FILE', help: 'what `aws cloudtrail list-public-keys` printed; may be given for each region' },
  tree: { kind: 'text', value: 'DIR|URL|s3://', help: 'the tree over the events, as published (C2SP static log)' },
  checkpoint: { kind: 'texts', value: 'FILE', help: 'checkpoints that were kept elsewhere; a file may hold many' },
  key: { kind: 'texts', value: 'KEY', help: 'verifier key of checkpoints (sealcast tree keys)' },
  proof: { kind: 'text', value: 'FILE', help: 'check an offline proof instead of files' },
  trail: { kind: 'text', value: 'NAME', help: 'only digests of this trail' },
  region: { kind: 'text', value: 'REGION', help: 'only this region' },
  account: { kind: 'text', value: 'ID', help: 'only this account' },
  from: { kind: 'text', value: 'TIME', help: 'from this time of delivery on (2026-01-31 or 2026-01-31T08:00:00Z)' },
  to: { kind: 'text', value: 'TIME', help: 'up to this time; digests have to reach it' },
  complete: { kind: 'texts', value: 'CATEGORY', help: 'the trail selects all events of it (management, data): each must be in a file' },
  accept: { kind: 'texts', value: 'CODE', help: `what may be unproved without exit code 3: ${UNPROVED_CODES.join(', ')}` },
  records: { kind: 'flag', help: 'look into all records, without a tree as well: can they be read, do some come twice' },
  json: { kind: 'flag', help: 'print the report as one JSON object' },
  report: { kind: 'text', value: 'FILE', help: 'write the report there as JSON, to be filed' },
} as const

const EXIT_CODES = { proved: 0, broken: 1, unproved: 3 } as const satisfies Record<Verdict, number>

export const verify: Command<typeof options> = {
  summary: "verify a trail's files, digests, tree and completeness, or an offline proof; also AWS's own trails",
  operands: 'PATH | s3://BUCKET[/PREFIX]',
  help: [
    'PATH holds AWSLogs, as aws s3 sync brings it. A bucket is read with the settings and credentials of the AWS CLI (AWS_ENDPOINT_URL',
    'for a server of your own). Without --public-keys the keys are asked of CloudTrail. Findings: broken (not as recorded), unproved,',
    'note.',
    'Exit code 0: all is proved; 1: something is broken; 2: wrong words; 3: nothing is broken, but something is unproved.',
    'A writing trail always has log files newer than the newest digest: --accept logs-unsealed, and have --to say how far digests reach.',
    '',
    '  sealcast verify s3://logs --tree s3://log-of-logs --key "$(cat key)" --checkpoint kept.txt --report report.json',
    '  sealcast verify ./copy --public-keys keys.json',
    '  sealcast verify --proof event.tlog-proof --key KEY',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const keys = given.key.map(readKey)
    if (given.proof !== undefined) return runProof(given, operands, keys, terminal)
    const [place, ...others] = operands
    if (place === undefined || others.length > 0)
      throw new UsageError('say: sealcast verify PATH, or: sealcast verify s3://BUCKET[/PREFIX]')
    const [from, to] = [readTime(given.from, '--from', false), readTime(given.to, '--to', true)]
    const accepts = new Set(given.accept.map(readCode))
    const source = await openSource(place, terminal)
    const tree = await openTree(given, keys, terminal)
    const publicKeys = await openPublicKeys(given, source, { from, to }, terminal)
    const output = createVerifyOutput(terminal, given.json)
    try {
      const report = await verifyFiles({
        ...{ source, keys: publicKeys, from, to, complete: new Set(given.complete), accepts, signal: terminal.interrupted },
        ...{ trail: given.trail, region: given.region, account: given.account, tree, hasRecords: given.records },
        tool: `sealcast ${terminal.version}`,
        now: () => systemClock.now(),
        given: { ...given, place },
        onFinding: (finding) => output.finding(finding),
        onProgress: (progress) => output.progress(progress),
      })
      if (given.report !== undefined)
        writeFileSync(resolve(terminal.workingFolder, given.report), `${JSON.stringify(report, undefined, 2)}\n`)
      await output.summary(report)
      return EXIT_CODES[report.verdict]
    } catch (error) {
      if (terminal.interrupted.aborted) throw new CommandError('interrupted; what was told so far is not the whole')
      throw error
    } finally {
      output.clear()
    }
  },
}

async function runProof(
  given: Given<typeof options>,
  operands: readonly string[],
  keys: readonly NoteKey[],
  terminal: Terminal,
): Promise<number> {
  if (operands.length > 0) throw new UsageError('--proof is checked by itself: leave out the place')
  if (keys.length === 0) throw new UsageError('give the verifier key that you trust with --key (sealcast tree keys)')
  const checked = checkProof(readBytes(given.proof ?? '', terminal), keys)
  if (given.json) await terminal.write(`${JSON.stringify(checked)}\n`)
  else if (checked.holds)
    await terminal.write(`the proof holds: ${checked.says}\n${checked.event === undefined ? '' : `${checked.event}\n`}`)
  else await terminal.write(`the proof does NOT hold: ${checked.why}\n`)
  return checked.holds ? 0 : 1
}

async function openSource(place: string, terminal: Terminal): Promise<Source> {
  const bucket = parseBucketPlace(place)
  if (bucket !== undefined) return bucketSource(bucket, terminal.environment)
  if (place.startsWith('s3://')) throw new UsageError(`${place} names no bucket; say s3://BUCKET/PREFIX`)
  const folder = resolve(terminal.workingFolder, place)
  if (!existsSync(folder)) throw new CommandError(`there is no ${folder}`)
  return folderSource(folder)
}

async function openTree(given: Given<typeof options>, keys: readonly NoteKey[], terminal: Terminal): Promise<TreeInput | undefined> {
  if (given.tree === undefined && given.checkpoint.length === 0) return undefined
  if (given.tree === undefined) throw new UsageError('--checkpoint is held against a tree: give it with --tree')
  const checkpoints = given.checkpoint.flatMap((file) => splitNotes(readBytes(file, terminal)).map((note) => ({ from: file, note })))
  return { log: await openLog(given.tree, terminal), checkpoints, keys }
}

async function openLog(place: string, terminal: Terminal): Promise<LogReader> {
  const bucket = parseBucketPlace(place)
  if (bucket !== undefined) return bucketLog(bucket, terminal.environment)
  if (/^https?:\/\//.test(place))
    return async (path) => {
      const response = await fetch(`${place.replace(/\/$/, '')}/${path}`)
      if (response.status === 404) return undefined
      if (!response.ok) throw new CommandError(`${place}/${path} answers ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    }
  const folder = resolve(terminal.workingFolder, place)
  if (!existsSync(folder)) throw new CommandError(`there is no ${folder}`)
  return folderLog(folder)
}

async function openPublicKeys(
  given: Given<typeof options>,
  source: Source,
  span: { readonly from: number | undefined; readonly to: number | undefined },
  terminal: Terminal,
): Promise<PublicKeys> {
  const keys = new PublicKeys()
  for (const file of given['public-keys']) {
    const problem = keys.add(readJson(file, terminal))
    if (problem !== undefined) throw new CommandError(`${file}: ${problem}`)
  }
  if (given['public-keys'].length > 0) return keys
  const to = new Date(span.to ?? systemClock.now())
  for (const region of await regionsOf(source, given, terminal)) {
    try {
      keys.add(await publicKeysOf(region, new Date(span.from ?? 0), to))
    } catch (error) {
      terminal.note(`the public keys of ${region} could not be had: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  return keys
}

/** Keys are each region's own. */
async function regionsOf(source: Source, given: Given<typeof options>, terminal: Terminal): Promise<ReadonlySet<string>> {
  if (given.region !== undefined) return new Set([given.region])
  const regions = new Set<string>()
  for await (const { name } of source.list(source.prefix)) {
    terminal.interrupted.throwIfAborted()
    const region = (parseDigestKey(name) ?? parseDigestKey(`AWSLogs/${name}`))?.region
    if (region !== undefined) regions.add(region)
  }
  return regions.size === 0 ? new Set([regionOf(terminal.environment)]) : regions
}

function readCode(text: string): UnprovedCode {
  const code = UNPROVED_CODES.find((known) => known === text)
  if (code === undefined)
    throw new UsageError(`--accept ${text}: nothing is told as unproved by that code; say ${UNPROVED_CODES.join(', ')}`)
  return code
}

function readKey(text: string): NoteKey {
  const key = parseVerifierKey(text)
  if (key === undefined) throw new UsageError(`--key ${text} is no Ed25519 verifier key; sealcast tree keys prints them`)
  return key
}

/** In ms since 1970; a day without an hour is meant whole. */
function readTime(text: string | undefined, option: string, isEnd: boolean): number | undefined {
  if (text === undefined) return undefined
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const at = Date.parse(isDay ? `${text}T${isEnd ? '23:59:59' : '00:00:00'}Z` : text)
  if (Number.isNaN(at)) throw new UsageError(`${option} ${text} is no time; say 2026-01-31 or 2026-01-31T08:00:00Z`)
  return at
}

function readJson(file: string, terminal: Terminal): unknown {
  try {
    return JSON.parse(readBytes(file, terminal).toString('utf8')) as unknown
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} is not JSON`)
  }
}

function readBytes(file: string, terminal: Terminal): Buffer {
  try {
    return readFileSync(resolve(terminal.workingFolder, file))
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

// What `npm test` runs. Without arguments every test; `npm test -- src/model/arn.test.ts` runs files; `--unit` those beside their modules
// but for the ones whose first line begins with `// slow:` and a reason.
// Tests under tests/clients/ name the outside programs they drive in their first line, `// needs: aws, boto3`. They run where all of
// these are found and are listed at the end where not; with CI=true a missing program is a failure. Closes with `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

// One more than a small machine has cores: a file waits half of its time, for processes, disks and timers.
const FILES_AT_ONCE = 3
const TEST_MS_MAX = 180_000
// A file whose tests are over and which does not end holds something open: it is stopped, and counts as failed.
const SILENCE_MS_MAX = 200_000

const ROOT = resolve(import.meta.dirname, '..')

/** How to find out whether a program is there: exits 0 if so. Others are looked for by `NAME --version`. */
const PROBES: Readonly<Record<string, readonly string[]>> = {
  boto3: ['python3', '-c', 'import boto3'],
  // With what kombu's SQS transport needs beside it.
  celery: ['python3', '-c', 'import celery, boto3, pycurl'],
  // Packages of npm that only tests drive lie in the folder that TEST_PACKAGES names.
  'sqs-consumer': ['node', '-e', "require(require.resolve('sqs-consumer', { paths: [process.env.TEST_PACKAGES ?? ''] }))"],
  // The last one without JSON for SQS, in the folder that TEST_QUERY_BOTOCORE names.
  'query-botocore': ['python3', '-c', "import os, sys; sys.path.insert(0, os.environ['TEST_QUERY_BOTOCORE']); import botocore"],
  // Its server, as far as tests need it.
  moto: ['python3', '-c', 'import boto3, flask_cors, moto.server'],
  openssl: ['openssl', 'version'],
  tenzir: ['tenzir', 'version'],
  java: ['java', '-version'],
  go: ['go', 'version'],
}

interface Plan {
  readonly files: readonly string[]
  readonly missing: readonly { readonly file: string; readonly programs: readonly string[] }[]
}

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--unit')
  if (unknown.length > 0) fail(`unknown option ${unknown.join(' ')}; give test files, or --unit`)
  const asked = args.filter((arg) => !arg.startsWith('-'))
  const absent = asked.filter((file) => !existsSync(file))
  if (absent.length > 0) fail(`no such file: ${absent.join(', ')}`)

  const found = asked.length > 0 ? asked.map((file) => resolve(file)) : findTests(args.includes('--unit'))
  if (found.length === 0) fail('no tests found')
  const plan = planOf(found)
  const { passed, failed, skipped } = plan.files.length === 0 ? { passed: 0, failed: 0, skipped: 0 } : await runFiles(plan.files)

  const isComplete = process.env['CI'] === 'true'
  for (const { file, programs } of plan.missing)
    print(`${isComplete ? 'failed' : 'left out'}: ${relative(ROOT, file)} needs ${programs.join(', ')}`)
  if (skipped > 0) print(`${skipped} skipped`)
  const failures = failed + (isComplete ? plan.missing.length : 0)
  print(`${passed} passed, ${failures} failed`)
  process.exitCode = failures === 0 ? 0 : 1
}

function findTests(isUnitOnly: boolean): readonly string[] {
  const patterns = ['src/**/*.test.ts', 'scripts/**/*.test.ts', ...(isUnitOnly ? [] : ['tests/**/*.test.ts'])]
  const files = globSync(patterns, { cwd: ROOT })
    .toSorted()
    .map((file) => resolve(ROOT, file))
  return isUnitOnly ? files.filter((file) => !firstLineOf(file).startsWith('// slow:')) : files
}

function planOf(files: readonly string[]): Plan {
  const known = new Map<string, boolean>()
  const isFound = (program: string): boolean => {
    const found = known.get(program) ?? isInstalled(program)
    known.set(program, found)
    return found
  }
  const needs = files.map((file) => ({ file, programs: programsOf(file).filter((program) => !isFound(program)) }))
  return {
    files: needs.filter(({ programs }) => programs.length === 0).map(({ file }) => file),
    missing: needs.filter(({ programs }) => programs.length > 0),
  }
}

function programsOf(file: string): readonly string[] {
  const [, list = ''] = /^\/\/ needs: (.+)$/.exec(firstLineOf(file)) ?? []
  return list.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))
}

function firstLineOf(file: string): string {
  return readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''
}

function isInstalled(program: string): boolean {
  const [command = program, ...args] = PROBES[program] ?? [program, '--version']
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

function runFiles(files: readonly string[]): Promise<Counts> {
  const silence = new AbortController()
  const events = run({ files: [...files], concurrency: FILES_AT_ONCE, timeout: TEST_MS_MAX, cwd: ROOT, signal: silence.signal })
  return new Promise((done) => {
    let counts: Counts | undefined
    let timer: NodeJS.Timeout | undefined
    const listen = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX)
    }
    for (const event of ['test:start', 'test:complete'] as const) events.on(event, listen)
    events.on('test:summary', ({ counts: seen, file }) => {
      // One summary for each file, and at last one for all.
      if (file !== undefined) return
      const skipped = seen.skipped + seen.todo
      counts = { passed: seen.passed, failed: seen.tests - seen.passed - skipped, skipped }
    })
    const report = events.compose(new spec())
    report.pipe(process.stdout, { end: false })
    report.on('end', () => {
      clearTimeout(timer)
      done(counts ?? { passed: 0, failed: 1, skipped: 0 })
    })
  })
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function fail(problem: string): never {
  process.stderr.write(`${problem}\n`)
  process.exit(2)
}

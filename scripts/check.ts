// What `npm run check` runs before each commit: types, lint, layers, style and unit tests, in under a minute. Prints what failed, whole.
// `--no-tests` leaves the tests to whoever runs them anyway.
import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkLayers } from './layers.ts'
import { checkStyle } from './style.ts'

const ROOT = resolve(import.meta.dirname, '..')
const SOURCES = ['src/**/*.ts', 'scripts/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts', 'console/src/**/*.{ts,tsx}']
const LINTED = ['src', 'scripts', 'tests', 'bench', 'bin', 'console/src'].filter((folder) => existsSync(resolve(ROOT, folder)))

interface Outcome {
  readonly isGood: boolean
  readonly output: string
}
interface Check {
  readonly name: string
  readonly run: () => Outcome | Promise<Outcome>
}

const bin = (name: string): string => resolve(ROOT, 'node_modules', '.bin', name)

const CHECKS: readonly Check[] = [
  { name: 'layers', run: () => checkSources((path, source) => checkLayers(path, source)) },
  { name: 'style', run: () => checkSources((path, source) => checkStyle(path, source).failures) },
  { name: 'types', run: () => runProgram(bin('tsc'), ['--noEmit']) },
  { name: 'lint', run: () => runProgram(bin('oxlint'), ['--type-aware', '--deny-warnings', '--format=unix', ...LINTED]) },
]
const TESTS: Check = { name: 'tests', run: () => runProgram(process.execPath, [resolve(ROOT, 'scripts', 'test.ts'), '--unit']) }

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((arg) => arg !== '--no-tests')
  if (unknown.length > 0) {
    process.stderr.write(`unknown option ${unknown.join(' ')}; the only one is --no-tests\n`)
    process.exit(2)
  }
  // The quick ones side by side; the tests fill both cores by themselves.
  const outcomes = await Promise.all(CHECKS.map(finish))
  if (!args.includes('--no-tests')) outcomes.push(await finish(TESTS))
  const failed = outcomes.filter(({ isGood }) => !isGood)
  for (const { name, output } of failed) process.stdout.write(`\n--- ${name}\n${output.trimEnd()}\n`)
  process.stdout.write(
    `\n${outcomes.length - failed.length} checks passed, ${failed.length} failed${failed.map(({ name }) => ` ${name}`).join()}\n`,
  )
  process.exitCode = failed.length === 0 ? 0 : 1
}

async function finish({ name, run }: Check): Promise<Outcome & { readonly name: string }> {
  const start = performance.now()
  const outcome = await run()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  process.stdout.write(`${outcome.isGood ? 'good  ' : 'FAILED'} ${name} (${seconds} s)\n`)
  return { name, ...outcome }
}

function checkSources(check: (path: string, source: string) => readonly string[]): Outcome {
  const paths = globSync(SOURCES, { cwd: ROOT }).toSorted()
  const problems = paths.flatMap((path) => check(path.replaceAll('\\', '/'), readFileSync(resolve(ROOT, path), 'utf8')))
  return { isGood: problems.length === 0, output: problems.join('\n') }
}

function runProgram(command: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => done({ isGood: false, output: `${command}: ${error.message}; run npm ci first` }))
    child.on('close', (code) => done({ isGood: code === 0, output: Buffer.concat(chunks).toString('utf8').replaceAll(`${ROOT}/`, '') }))
  })
}

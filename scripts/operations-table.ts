// Writes docs/OPERATIONS.md: every operation of every service's model, whether it is offered, what it takes and which test calls it, all
// found in the code itself. With --check only says whether the page is fresh. An offered operation that no test calls is a problem.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import type { AnyOperation, Service } from '../src/engine/operation.ts'
import { createCloudtrail } from '../src/services/cloudtrail/index.ts'
import { cloudtrailData } from '../src/services/cloudtrail-data/index.ts'
import { s3 } from '../src/services/s3/index.ts'
import { createSns } from '../src/services/sns/index.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { sts } from '../src/services/sts/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PAGE = resolve(ROOT, 'docs', 'OPERATIONS.md')
const TITLES: Readonly<Record<string, string>> = {
  sns: 'SNS',
  sqs: 'SQS',
  s3: 'S3',
  cloudtrail: 'CloudTrail',
  'cloudtrail-data': 'CloudTrail Data',
  sts: 'STS',
}
/** Tests that name operations without calling them, or call all there are. */
const NO_CALLS = /^src\/wire\/|^tests\/(record-|lossless\/|crash\/)|[/-](fuzz|bad-input)\./

/** Members that the front door deals with, for every operation. */
const OF_THE_DOOR = /^(Checksum[A-Z0-9]\w*|ContentMD5|ContentLength|Body)$/
/** Members of which an operation may know nothing, because they change nothing here; and why. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  ConfirmRemoveSelfBucketAccess: 'the root of an account keeps its access whatever a policy says',
  ContinuationToken: 'of listings that have no second page here',
  Id: 'names one of a kind of which a bucket here has none',
  NextToken: 'of listings that have no second page here',
  OptionalObjectAttributes: 'asks for the state of a restore, and nothing here needs to be restored',
  RequestPayer: 'buckets where the requester pays do not exist here; S3 takes it for any other',
  RestoreRequest: 'no object here is in a class from which it would have to be restored',
}

/** Named in lists of what is let pass. */
const NEVER_LOOKED_AT = new Set(['RequestPayer'])

export interface OperationRow {
  readonly name: string
  readonly operation: AnyOperation
  /** Members of the input that the code looks at. */
  readonly taken: readonly string[]
  /** Members that are refused by name. */
  readonly refused: readonly string[]
  /** Members that have no effect: each of them is in WITHOUT_EFFECT. */
  readonly ignored: readonly string[]
  /** The test that calls it most often. */
  readonly test: string | undefined
}

export interface ServiceTable {
  readonly service: string
  readonly offered: readonly OperationRow[]
  readonly others: readonly string[]
}

/** The services, put together only so far that their registries can be read. */
function services(): Readonly<Record<string, Service>> {
  const tables = { watch: () => {} }
  return {
    sns: createSns({ tables: tables as never, protocols: {} }),
    sqs: createSqs({} as never),
    s3,
    cloudtrail: createCloudtrail({} as never),
    'cloudtrail-data': cloudtrailData,
    sts,
  }
}

export function operationTables(): readonly ServiceTable[] {
  const tests = readAll(['src/**/*.test.ts', 'tests/**/*.ts']).filter(([path]) => !NO_CALLS.test(path))
  return Object.entries(services()).map(([service, { model, operations }]) => {
    const sources = new Map(readAll([`src/services/${service}/**/*.ts`]).filter(([path]) => !path.endsWith('.test.ts')))
    const names = Object.keys(model().operations).toSorted()
    // What is registered only to be refused by its name.
    const refused = [...sources].flatMap(([path, text]) => (path.includes('/unoffered') ? [text] : [])).join('\n')
    const isOffered = (name: string): boolean => operations[name] !== undefined && !new RegExp(`\\b${name}\\b`).test(refused)
    const offered = names.flatMap((name) => {
      const operation = operations[name]
      if (operation === undefined || !isOffered(name)) return []
      const text = sourceOf(name, sources)
      const members = model().operations[name]?.input.memberList.map((member) => member.name) ?? []
      return [{ name, operation, ...fatesOf(name, members, text), test: testOf(service, name, tests) }]
    })
    return { service, offered, others: names.filter((name) => !isOffered(name)) }
  })
}

type Sources = readonly (readonly [path: string, text: string])[]

function readAll(patterns: readonly string[]): Sources {
  const paths = globSync([...patterns], { cwd: ROOT }).map((path) => path.replaceAll('\\', '/'))
  return paths.toSorted().map((path) => [path, readFileSync(resolve(ROOT, path), 'utf8')])
}

/** The text of the file that declares the operation and of all it imports from its own service. */
function sourceOf(name: string, sources: ReadonlyMap<string, string>): string {
  const file =
    [...sources].find(([, text]) => text.includes(`name: '${name}'`))?.[0] ?? [...sources.keys()].find((path) => madeIn(path, name))
  const seen = new Set<string>()
  const add = (path: string): void => {
    const text = sources.get(path)
    if (text === undefined || seen.has(path)) return
    seen.add(path)
    for (const [, target = ''] of text.matchAll(/ from '(\.[^']+)'/g)) add(posix.join(posix.dirname(path), target))
  }
  if (file !== undefined) add(file)
  return [...seen].map((path) => sources.get(path)).join('\n')
}

/** Families of operations are declared together, by names that are put together. */
function madeIn(path: string, name: string): boolean {
  return path.endsWith('/unset-configurations.ts') && /^(Get|Put|Delete|List)Bucket\w+Configurations?$/.test(name)
}

function fatesOf(name: string, members: readonly string[], text: string): Pick<OperationRow, 'taken' | 'refused' | 'ignored'> {
  const isTaken = (member: string): boolean =>
    OF_THE_DOOR.test(member) || (!NEVER_LOOKED_AT.has(member) && new RegExp(`\\b${member}\\b`).test(text))
  const others = members.filter((member) => !isTaken(member))
  // Configurations that buckets here cannot have are refused as a whole.
  const refusesOthers = /refuseUnsupported\(/.test(text) || (/notOffered\(/.test(text) && name.startsWith('Put'))
  const isRefused = (member: string): boolean => refusesOthers && WITHOUT_EFFECT[member] === undefined
  return {
    taken: members.filter(isTaken),
    refused: others.filter(isRefused),
    ignored: others.filter((member) => !isRefused(member)),
  }
}

/** By a stock client (`.createTopic(`), a CLI's word (`'create-topic'`), the harness (`'CreateTopic'`), or by hand (`Action=`). */
function testOf(service: string, name: string, tests: Sources): string | undefined {
  const method = name.slice(0, 1).toLowerCase() + name.slice(1)
  const word = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  const call = new RegExp(`\\.${method}\\(|\\b${name}Command\\b|'${name}'|'${word}'|Action=${name}\\b`, 'g')
  const speaks = new RegExp(`client-${service}|'${service}'|services/${service}/`)
  const counts = tests.map(([path, text]) => ({
    path,
    calls: speaks.test(text) || path.startsWith(`src/services/${service}/`) ? [...text.matchAll(call)].length : 0,
  }))
  const best = counts.toSorted((one, other) => other.calls - one.calls).find(({ calls }) => calls > 0)?.path
  const whole = WHOLE_SERVICES[service]
  return counts.find(({ path, calls }) => path === whole && calls > 0)?.path ?? best
}

/** Tests that go through a whole service with its stock client: named before any other. */
const WHOLE_SERVICES: Readonly<Record<string, string>> = { sqs: 'tests/sqs-operations.test.ts' }

export function operationsPage(): string {
  const tables = operationTables()
  const effects = Object.entries(WITHOUT_EFFECT).map(([member, why]) => `- \`${member}\`: ${why}.\n`)
  return (
    '# Operations\n\n<!-- generated by scripts/operations-table.ts -->\n\n' +
    'What is offered of each service, by the operations of its SDK client. What is not offered is refused by name. `event` is the\n' +
    'category of the operation in CloudTrail; `takes` are the parameters it looks at, `refuses` those it answers with an error.\n\n' +
    `Parameters that change nothing here:\n\n${effects.join('')}` +
    tables.map(tableText).join('')
  )
}

function tableText({ service, offered, others }: ServiceTable): string {
  const rows = offered.map(({ name, operation, taken, refused, test }) => {
    const category = operation.data === true ? 'data' : 'management'
    const cells = [name, operation.access, category, taken.join(', '), refused.join(', '), test === undefined ? '**none**' : `\`${test}\``]
    return `| ${cells.join(' | ')} |\n`
  })
  const total = offered.length + others.length
  const rest = others.length === 0 ? '' : `\nNot offered: ${others.join(', ')}.\n`
  return (
    `\n## ${TITLES[service] ?? service}: ${offered.length} of ${total}\n\n` +
    `| operation | access | event | takes | refuses | test |\n|---|---|---|---|---|---|\n${rows.join('')}${rest}`
  )
}

if (process.argv[1] === import.meta.filename) {
  const page = operationsPage()
  const untested = operationTables().flatMap(({ offered }) => offered.filter(({ test }) => test === undefined).map(({ name }) => name))
  if (untested.length > 0) process.stderr.write(`no test calls ${untested.join(', ')}\n`)
  if (process.argv.includes('--check')) process.exitCode = untested.length === 0 && readFileSync(PAGE, 'utf8') === page ? 0 : 1
  else writeFileSync(PAGE, page)
}

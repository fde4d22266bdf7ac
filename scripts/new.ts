// What `npm run new <socket> <name>` runs: writes a plug, its line in the registry and a test that fails until the plug is written.
// Sockets: operation (sns/AddPermission), deliverer (lambda), follower (retention), command (verify).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { maskSource } from './source-mask.ts'

export interface FileChange {
  readonly path: string
  readonly content: string
}

/** Reads a file of the repository by its path, undefined when there is none. */
export type ReadFile = (path: string) => string | undefined

export class NewError extends Error {
  override readonly name = 'NewError'
}

/** The files to write, or a NewError that says what to ask for instead. */
export function planPlug(socket: string, name: string, read: ReadFile): readonly FileChange[] {
  const plan = SOCKETS.get(socket)
  if (plan === undefined) throw new NewError(`no socket ${JSON.stringify(socket)}; there are ${[...SOCKETS.keys()].join(', ')}`)
  const changes = plan(name, read)
  const taken = changes.find(({ path }) => !path.endsWith('index.ts') && path !== FOLLOWERS && read(path) !== undefined)
  if (taken !== undefined) throw new NewError(`${taken.path} is there already`)
  return changes
}

const FOLLOWERS = 'src/house/followers.ts'

const SOCKETS: ReadonlyMap<string, (name: string, read: ReadFile) => readonly FileChange[]> = new Map([
  ['operation', planOperation],
  ['deliverer', planDeliverer],
  ['follower', planFollower],
  ['command', planCommand],
])

/** How a test puts a service together that is made of parts. A service without an entry is a constant of its own name. */
const COMPOSED: ReadonlyMap<string, { readonly factory: string; readonly call: string }> = new Map([
  ['sns', { factory: 'createSns', call: '(env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) })' }],
  ['sqs', { factory: 'createSqs', call: "() => ({ sqs: createSqs({ notifications: () => Promise.resolve('') }) })" }],
])

interface OperationModel {
  readonly operations: Readonly<Record<string, { readonly input: string; readonly output?: string }>>
}

function planOperation(given: string, read: ReadFile): readonly FileChange[] {
  const [service = '', name = ''] = given.split('/')
  if (!/^[A-Z][A-Za-z0-9]+$/.test(name))
    throw new NewError(`write SERVICE/Operation, such as sns/AddPermission, not ${JSON.stringify(given)}`)
  const folder = `src/services/${service}`
  const index = read(`${folder}/index.ts`)
  const model = read(`${folder}/model.json`)
  if (index === undefined || model === undefined)
    throw new NewError(`${folder} has no index.ts and model.json; an operation belongs to a service of AWS's that is there`)
  const { operations } = JSON.parse(model) as OperationModel
  const shapes = operations[name]
  if (shapes === undefined) throw new NewError(`AWS's ${service} has no operation ${name}; it has ${Object.keys(operations).join(', ')}`)

  const file = kebabCase(name)
  const variable = name.charAt(0).toLowerCase() + name.slice(1)
  const [, partsType] = /export type (\w+Operation)</.exec(read(`${folder}/operation.ts`) ?? '') ?? []
  const type = partsType ?? 'Operation'
  const output = shapes.output ?? 'undefined'
  const types = [shapes.input, ...(shapes.output === undefined ? [] : [shapes.output])].toSorted().join(', ')
  const body = `{
  name: '${name}',
  access: '${/^(Get|List|Describe|Head|Check|Lookup)/.test(name) ? 'read' : 'write'}',
  run() {
    throw new Error('${name} is not written yet')
  },
}`
  const operation = `// ${name}: say in a sentence what it does, and AWS's oddities.
import type { ${types} } from '@aws-sdk/client-${service}'
import type { ${type} } from '${partsType === undefined ? '../../engine' : '.'}/operation.ts'

export const ${variable}: ${type}<${shapes.input}, ${output}> = ${partsType === undefined ? body : `() => (${body})`}
`
  const { factory, call } = COMPOSED.get(service) ?? { factory: service, call: `() => ({ ${service} })` }
  const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from '../../../tests/harness.ts'
import { ${factory} } from './index.ts'

test('${name} does what AWS documents', async (t) => {
  const harness = await createHarness(${call})
  t.after(() => harness.close())
  assert.deepEqual(await harness.call('${service}', '${name}', {}), 'say here what it answers')
})
`
  const registered = addEntry(addImport(index, variable, `./${file}.ts`), /\boperations(?::| =) \{/, name, variable)
  return [
    { path: `${folder}/${file}.ts`, content: operation },
    { path: `${folder}/${file}.test.ts`, content: test },
    { path: `${folder}/index.ts`, content: registered },
  ]
}

function planDeliverer(name: string, read: ReadFile): readonly FileChange[] {
  const [file, variable] = plugName(name)
  const factory = `create${variable.charAt(0).toUpperCase()}${variable.slice(1)}`
  const deliverer = `// ${name}: say in a sentence where it delivers, and what counts as delivered.
import type { Deliverer, DelivererParts } from '../engine/deliverer.ts'

/** Say what its provider is and where its settings come from (engine/providers.ts); captureDeliverer is its provider \`capture\`. */
export function ${factory}(_parts: Pick<DelivererParts, 'outbound'>): Deliverer {
  return {
    protocols: ['${name}'],
    validate: () => 'Endpoint Reason: ${name} is not written yet',
    deliver: () => Promise.resolve({ kind: 'refused', reason: '${name} is not written yet' }),
  }
}
`
  const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutbound } from '../engine/outbound.ts'
import { systemClock } from '../base/clock.ts'
import { ${factory} } from './${file}.ts'

test('${name} takes an endpoint that AWS takes', () => {
  const deliverer = ${factory}({ outbound: createOutbound({ clock: systemClock, allow: [] }) })
  assert.equal(deliverer.validate('an endpoint that AWS takes'), undefined)
})
`
  const index = required('src/deliverers/index.ts', read)
  const registered = addEntry(addImport(index, factory, `./${file}.ts`), /\breturn \{/, name, `${factory}(parts)`)
  return [
    { path: `src/deliverers/${file}.ts`, content: deliverer },
    { path: `src/deliverers/${file}.test.ts`, content: test },
    { path: 'src/deliverers/index.ts', content: registered },
  ]
}

function planCommand(name: string, read: ReadFile): readonly FileChange[] {
  const [file, variable] = plugName(name)
  const command = `// sealcast ${name}: say in a sentence what it does.
import { type Command, CommandError } from '../command.ts'

const options = {} as const

export const ${variable}: Command<typeof options> = {
  summary: 'say what it does',
  options,
  run() {
    return Promise.reject(new CommandError('${name} is not written yet'))
  },
}
`
  const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${variable} } from './${file}.ts'

test('sealcast ${name} says what it does', () => {
  assert.notEqual(${variable}.summary, 'say what it does')
})
`
  const index = required('src/cli/commands/index.ts', read)
  const registered = addEntry(addImport(index, variable, `./${file}.ts`), /export const commands[^=]*= \{/, name, variable)
  return [
    { path: `src/cli/commands/${file}.ts`, content: command },
    { path: `src/cli/commands/${file}.test.ts`, content: test },
    { path: 'src/cli/commands/index.ts', content: registered },
  ]
}

function planFollower(name: string, read: ReadFile): readonly FileChange[] {
  const [file, variable] = plugName(name)
  const factory = `create${variable.charAt(0).toUpperCase()}${variable.slice(1)}Follower`
  const follower = `// ${name}: say in a sentence what it makes of the journal, and what it keeps as its checkpoint.
import type { Env } from '../engine/env.ts'
import type { Follower } from '../engine/follow.ts'

export function ${factory}({ journal }: Env): Follower {
  let handled = journal.durable
  return {
    name: '${name}',
    get checkpoint() {
      return handled
    },
    handle(frames) {
      handled = frames.at(-1)?.end ?? handled
    },
    stop: () => Promise.resolve(),
  }
}
`
  const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from '../../tests/harness.ts'
import { ${factory} } from './${file}.ts'

test('${name} makes of a frame what it is there for', async (t) => {
  const harness = await createHarness(() => ({}))
  t.after(() => harness.close())
  harness.follow(${factory}(harness.env))
  assert.fail('commit a frame, wait until the follower has caught up, and say what is then different')
})
`
  const registry = required(FOLLOWERS, read)
  const registered = addItem(
    addImport(registry, factory, `../followers/${file}.ts`),
    /\bserving: readonly Follower\[\] = \[/,
    `${factory}(env)`,
  )
  return [
    { path: `src/followers/${file}.ts`, content: follower },
    { path: `src/followers/${file}.test.ts`, content: test },
    { path: FOLLOWERS, content: registered },
  ]
}

function required(path: string, read: ReadFile): string {
  const source = read(path)
  if (source === undefined) throw new NewError(`${path} is missing, the registry of this socket`)
  return source
}

function plugName(name: string): readonly [file: string, variable: string] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new NewError(`write the name in kebab-case, such as email-json, not ${JSON.stringify(name)}`)
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  // A reserved word cannot name a value; `import` becomes importPlug.
  return [name, RESERVED.has(camel) ? `${camel}Plug` : camel]
}

const RESERVED = new Set([
  'import',
  'export',
  'delete',
  'new',
  'default',
  'class',
  'function',
  'switch',
  'case',
  'do',
  'in',
  'for',
  'if',
  'try',
  'void',
  'with',
])

function kebabCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
}

const IMPORT = /^import [^'"]*? from '([^']+)'\n/gm

/** Puts the import where it belongs in the order of its neighbours. */
export function addImport(source: string, name: string, specifier: string): string {
  const imports = [...source.matchAll(IMPORT)]
  const next = imports.find((match) => (match[1] ?? '').startsWith('./') && (match[1] ?? '') > specifier)
  const last = imports.at(-1)
  const at = next?.index ?? (last === undefined ? 0 : last.index + last[0].length)
  return `${source.slice(0, at)}import { ${name} } from '${specifier}'\n${source.slice(at)}`
}

/** Adds `key: value` to the object that `open` finds: in order where the entries are in order, else at the end. */
export function addEntry(source: string, open: RegExp, key: string, value: string): string {
  const name = /^\w+$/.test(key) ? key : `'${key}'`
  return addItem(source, open, name === value ? value : `${name}: ${value}`)
}

export function addItem(source: string, open: RegExp, item: string): string {
  const { start, end } = bracketAfter(source, open)
  const inside = source.slice(start, end)
  if (!inside.includes('\n')) {
    const items = inside.trim().replace(/,$/, '')
    const spaces = source[start - 1] === '{' ? ' ' : ''
    return `${source.slice(0, start)}${spaces}${items === '' ? item : `${items}, ${item}`}${spaces}${source.slice(end)}`
  }
  const lines = inside.split('\n').slice(1, -1)
  const indent = /^ */.exec(lines.find((line) => line.trim() !== '') ?? '')?.[0] ?? ''
  const line = `${indent}${item},`
  const isFlat = lines.every((other) => /^\s*[\w'].*,$/.test(other))
  const isSorted = source[start - 1] === '{' && isFlat && lines.every((other, at) => at === 0 || (lines[at - 1] ?? '') <= other)
  const place = isSorted ? lines.findIndex((other) => other > line) : -1
  const added = lines.toSpliced(place < 0 ? lines.length : place, 0, line)
  const closing = inside.slice(inside.lastIndexOf('\n'))
  return `${source.slice(0, start)}\n${added.join('\n')}${closing}${source.slice(end)}`
}

function bracketAfter(source: string, open: RegExp): { readonly start: number; readonly end: number } {
  const { code } = maskSource(source)
  const match = open.exec(code)
  if (match === null) throw new NewError(`no ${open.source} in the registry; add the line by hand`)
  const start = match.index + match[0].length
  let depth = 1
  for (let at = start; at < code.length; at++) {
    if ('{[('.includes(code.charAt(at))) depth++
    if ('}])'.includes(code.charAt(at)) && --depth === 0) return { start, end: at }
  }
  throw new NewError('the registry is not closed; add the line by hand')
}

function main(args: readonly string[]): void {
  const root = resolve(import.meta.dirname, '..')
  const [socket, name, ...rest] = args
  if (socket === undefined || name === undefined || rest.length > 0)
    throw new NewError('usage: npm run new <socket> <name>, such as: npm run new operation sns/AddPermission')
  const read: ReadFile = (path) => (existsSync(resolve(root, path)) ? readFileSync(resolve(root, path), 'utf8') : undefined)
  for (const { path, content } of planPlug(socket, name, read)) {
    process.stdout.write(`${read(path) === undefined ? 'new    ' : 'changed'} ${path}\n`)
    mkdirSync(dirname(resolve(root, path)), { recursive: true })
    writeFileSync(resolve(root, path), content)
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof NewError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskSource } from './source-mask.ts'
import { checkStyle } from './style.ts'

const HEADER = '// What it is.\n'

function failuresOf(path: string, body: string): readonly string[] {
  return checkStyle(path, HEADER + body).failures
}

const MACHINE: readonly string[] = [
  'const at = Date.now()',
  'const at = new Date()',
  'const at = performance.now()',
  'const one = Math.random()',
  "import { randomUUID } from 'node:crypto'",
  'setTimeout(run, 5)',
  'const handle = setInterval(run, 5)',
  'const answer = await fetch(url)',
  'const port = process.env.PORT',
]

test('clock, random, timers, fetch and environment belong to base, cli, main and tests', () => {
  for (const source of MACHINE) {
    assert.equal(failuresOf('src/engine/call.ts', source).length, 1, source)
    assert.match(failuresOf('src/engine/call.ts', source)[0] ?? '', /^src\/engine\/call\.ts:2 /)
    for (const path of [
      'src/base/clock.ts',
      'src/cli/commands/serve.ts',
      'src/main.ts',
      'src/engine/call.test.ts',
      'tests/crash.ts',
      'scripts/test.ts',
    ]) {
      assert.deepEqual(failuresOf(path, source), [], `${path}: ${source}`)
    }
  }
})

test('words in comments and texts, and members of that name, are no calls', () => {
  const fine = [
    '// Date.now is banned',
    "const text = 'Date.now()'",
    'const text = `fetch(${x})`',
    'const time = new Date(now)',
    'clock.setTimeout(run)',
    'cache.fetch(key)',
    'const isNumber = /Math.random/.test(x)',
  ]
  for (const source of fine) assert.deepEqual(failuresOf('src/engine/call.ts', source), [], source)
  assert.equal(failuresOf('src/engine/call.ts', 'const text = `${Date.now()}`').length, 1)
})

const SHAPES: readonly (readonly [refused: string, allowed: string])[] = [
  ['enum Color { red }', "type Color = 'red'"],
  ['export const enum Color { red }', 'const enumerate = list'],
  ['namespace Colors {}', 'const namespace = 1'],
  ['  @sealed', "const mail = 'a@b'"],
  ['const a = 1;', 'for (let at = 0; at < 3; at++) run(at)'],
  ['class TopicManager {}', 'class Topic {}'],
  ['export function stringUtils() {}', 'export function utilise() {}'],
  ['const a = "x"', 'const a = "it\'s"'],
  ['const a = 1 ', 'const a = 1'],
  ['\tconst a = 1', '  const a = 1'],
  [`const a = '${'x'.repeat(130)}'`, `const a = '${'x'.repeat(128)}'`],
]

test('forms that the style does without', () => {
  for (const [refused, allowed] of SHAPES) {
    assert.equal(failuresOf('src/model/color.ts', refused).length, 1, refused)
    assert.deepEqual(failuresOf('src/model/color.ts', allowed), [], allowed)
  }
})

test('a file opens with a comment, a test need not', () => {
  assert.equal(checkStyle('src/model/arn.ts', 'export const a = 1\n').failures.length, 1)
  assert.equal(checkStyle('src/model/arn.ts', '//\nexport const a = 1\n').failures.length, 1)
  assert.deepEqual(checkStyle('src/main.ts', '#!/usr/bin/env node\n// Starts.\n').failures, [])
  assert.deepEqual(checkStyle('src/model/arn.test.ts', 'export const a = 1\n').failures, [])
})

test('file names are kebab-case and say something', () => {
  for (const name of ['createTopic', 'Create-topic', 'create_topic', 'string-utils', 'helpers'])
    assert.equal(failuresOf(`src/model/${name}.ts`, '').length, 1, name)
  for (const name of ['create-topic', 'arn', 'sha256', 'arn.test', 'journal.suite'])
    assert.deepEqual(failuresOf(`src/model/${name}.ts`, ''), [], name)
  assert.match(failuresOf('src/model/createTopic.ts', '')[0] ?? '', /create-topic/)
})

test('a file above 400 lines is remarked upon, above 500 refused', () => {
  const reportOf = (lines: number): unknown => {
    const { failures, remarks } = checkStyle('src/model/arn.ts', HEADER + '\n'.repeat(lines - 1))
    return [failures.length, remarks.length]
  }
  assert.deepEqual([400, 401, 500, 501].map(reportOf), [
    [0, 0],
    [0, 1],
    [0, 1],
    [1, 0],
  ])
})

test('masking keeps every position', () => {
  const source = "const a = 'it\\'s' // x\nconst b = `a${c /* y */ + `${d}`}e` + /[/'\"]/.source / 2\n"
  const { code, withTexts } = maskSource(source)
  assert.equal(code, "const a = '     '     \nconst b = ` ${c         + `${d}`} ` + /     /.source / 2\n")
  assert.equal(withTexts, "const a = 'it\\'s'     \nconst b = `a${c         + `${d}`}e` + /[/'\"]/.source / 2\n")
})

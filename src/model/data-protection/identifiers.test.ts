import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MANAGED_IDENTIFIERS } from './identifiers.ts'
import { managedFinder, scanText } from './scan.ts'

interface Examples {
  /** What is to be found stands in [ ]. */
  readonly found: readonly string[]
  readonly not: readonly string[]
}

const examples = JSON.parse(readFileSync(new URL('../../../tests/data-protection/examples.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Examples>
>

/** The text with brackets around what is found. */
function marked(name: string, text: string): string {
  const managed = MANAGED_IDENTIFIERS[name]
  assert.ok(managed !== undefined)
  const scanning = scanText(text, [managedFinder(name, managed)])
  let step = scanning.next()
  while (step.done !== true) step = scanning.next()
  let [result, at] = ['', 0]
  const spans = [...step.value.values()].flat()
  for (let next = 0; next < spans.length; next += 2) {
    const [start = 0, end = 0] = spans.slice(next, next + 2)
    result += `${text.slice(at, start)}[${text.slice(start, end)}]`
    at = end
  }
  return result + text.slice(at)
}

test('each identifier that is offered has examples for and against', () => {
  assert.deepEqual(Object.keys(examples).sort(), Object.keys(MANAGED_IDENTIFIERS).sort())
})

for (const [name, { found, not }] of Object.entries(examples))
  test(`${name} is found where it is, and nowhere else`, () => {
    for (const text of found) assert.equal(marked(name, text.replace(/[[\]]/g, '')), text)
    for (const text of not) assert.equal(marked(name, text), text)
    // Far into a long text, over the border of a window, and twice.
    const filler = ' '.repeat(16_384 - 20)
    for (const text of found)
      assert.equal(marked(name, (filler + text + filler + text).replace(/[[\]]/g, '')), filler + text + filler + text)
  })

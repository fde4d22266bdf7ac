// Writes generated.jsonl anew: cases of the corpus whose verdicts come from the naive implementation.
//   node bin/node26.js tests/filter-policies/generate.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { anyCase } from './arbitrary.ts'
import { isGood } from './matcher.ts'
import { naiveVerdict } from './naive.ts'

const CASES_PER_VERDICT = 1100
const lines: Record<'true' | 'false', string[]> = { true: [], false: [] }
const known = new Set<string>()
for (let seed = 1; lines.true.length < CASES_PER_VERDICT || lines.false.length < CASES_PER_VERDICT; seed++)
  for (const one of fc.sample(anyCase, { seed, numRuns: 500 })) {
    const passes = naiveVerdict(one)
    const line = JSON.stringify({ ...one, passes })
    const list = lines[`${passes}`]
    if (list.length >= CASES_PER_VERDICT || line.length > 400 || known.has(line) || !isGood(one)) continue
    known.add(line)
    list.push(line)
  }
writeFileSync(
  join(import.meta.dirname, 'generated.jsonl'),
  lines.true.flatMap((line, at) => [line, lines.false[at] ?? '']).join('\n') + '\n',
)

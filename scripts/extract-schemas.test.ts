// The generated models are those of the pinned clients.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { extractModel, formatModel, SERVICES } from './extract-schemas.ts'

for (const service of Object.keys(SERVICES) as (keyof typeof SERVICES)[]) {
  test(`src/services/${service}/model.json is what the pinned client gives`, async () => {
    const file = readFileSync(new URL(`../src/services/${service}/model.json`, import.meta.url), 'utf8')
    assert.equal(file, formatModel(await extractModel(service)), 'run: node bin/node26.js scripts/extract-schemas.ts')
  })
}

test('every operation of the clients is in the models', async () => {
  const counts = await Promise.all((['sns', 'sqs', 'sts', 'cloudtrail', 's3'] as const).map(extractModel))
  const operations = Object.fromEntries(counts.map((model) => [model.service, Object.keys(model.operations).length]))
  assert.equal(operations.sns, 42)
  assert.equal(operations.cloudtrail, 60)
  assert.ok((operations.sqs ?? 0) >= 23 && (operations.sts ?? 0) >= 11 && (operations.s3 ?? 0) >= 100, JSON.stringify(operations))
})

// The shapes of SNS, read from model.json when the service is first called.
import { readFileSync } from 'node:fs'
import { linkModel, type ModelFile, type ServiceModel } from '../../model/shape.ts'

let linked: ServiceModel | undefined

export function snsModel(): ServiceModel {
  linked ??= linkModel(JSON.parse(readFileSync(new URL('model.json', import.meta.url), 'utf8')) as ModelFile)
  return linked
}

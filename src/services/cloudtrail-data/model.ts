// The shapes of CloudTrail's data service, read from model.json when the service is first called. Written by hand after the CloudTrail Data
// Service API reference: the registry has no client of this service to take them from.
import { readFileSync } from 'node:fs'
import { linkModel, type ModelFile, type ServiceModel } from '../../model/shape.ts'

let linked: ServiceModel | undefined

export function cloudtrailDataModel(): ServiceModel {
  linked ??= linkModel(JSON.parse(readFileSync(new URL('model.json', import.meta.url), 'utf8')) as ModelFile)
  return linked
}

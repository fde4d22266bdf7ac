// Data protection policies of topics ("Data protection policies in Amazon SNS"): read and checked whole, so that what is taken has its
// effect. Not offered, and refused by name: destinations for findings outside of the server.
import { compileCustomPattern, CustomPatternError } from './custom-pattern.ts'
import type { Deidentification } from './deidentify.ts'
import { MANAGED_IDENTIFIERS } from './identifiers.ts'
import { customFinder, type Finder, managedFinder } from './scan.ts'

const DATA_PROTECTION_POLICY_CHARS_MAX = 30_720
const CUSTOM_IDENTIFIERS_MAX = 10
const CUSTOM_NAME = /^[A-Za-z0-9_-]{1,128}$/
const MANAGED = /^arn:aws[a-z-]*:dataprotection::aws:data-identifier\/([A-Za-z0-9-]+)$/
const PRINCIPAL = /^(\*|arn:aws[a-z-]*:(iam|sts)::(aws|\d{12}):.{1,512})$/
const MASK = /^[A-Za-z0-9 !#$%&()*+,\-./:;<>=?@[\]^_`{|}~]$/
const VERSION = '2021-06-01'
const DIRECTIONS: ReadonlyMap<unknown, ProtectionStatement['direction']> = new Map([
  ['Inbound', 'inbound'],
  ['Outbound', 'outbound'],
])
const NOT_OFFERED = 'is not offered by this version of Sealcast'

export class DataProtectionPolicyError extends Error {
  override name = 'DataProtectionPolicyError'
}

export interface DataProtectionPolicy {
  readonly name: string
  readonly statements: readonly ProtectionStatement[]
  /** By identifier, for all that statements name. */
  readonly finders: ReadonlyMap<string, Finder>
}

export interface ProtectionStatement {
  readonly sid: string | undefined
  /** `inbound`: holds for what its principals publish; `outbound`: for what is delivered to subscriptions that they made. */
  readonly direction: 'inbound' | 'outbound'
  /** ARNs, or `*`. */
  readonly principals: readonly string[]
  readonly identifiers: ReadonlySet<string>
  readonly operation: ProtectionOperation
}

type ProtectionOperation =
  | { readonly kind: 'deny' }
  | { readonly kind: 'deidentify'; readonly maskWith: Deidentification['maskWith'] }
  /** Of a hundred messages so many are looked at; told are those with findings, those without, or both. */
  | { readonly kind: 'audit'; readonly sampleRate: number; readonly tellsFindings: boolean; readonly tellsNoFindings: boolean }

/** Throws DataProtectionPolicyError with the place and the remedy. */
export function parseDataProtectionPolicy(text: string): DataProtectionPolicy {
  if (text.length > DATA_PROTECTION_POLICY_CHARS_MAX)
    throw problem('', `must have at most ${DATA_PROTECTION_POLICY_CHARS_MAX} characters, and has ${text.length}`)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw problem('', 'is no JSON')
  }
  const policy = members(document, '', ['Name', 'Description', 'Version', 'Configuration', 'Statement'])
  const name = textOf(policy['Name'], 'Name')
  if (policy['Description'] !== undefined) textOf(policy['Description'], 'Description', 0)
  if (policy['Version'] !== VERSION) throw problem('Version', `must be "${VERSION}"`)
  const finders = customFinders(policy['Configuration'])
  const statements = listOf(policy['Statement'], 'Statement').map((one, at) => statementOf(one, `Statement[${at}]`, finders))
  if (statements.filter(({ operation }) => operation.kind === 'audit').length > 1)
    throw problem('Statement', 'has more than one with the operation Audit')
  return { name, statements, finders }
}

function statementOf(given: unknown, path: string, finders: Map<string, Finder>): ProtectionStatement {
  const statement = members(given, path, ['Sid', 'DataDirection', 'Principal', 'DataIdentifier', 'Operation'])
  const sid = statement['Sid'] === undefined ? undefined : textOf(statement['Sid'], `${path}.Sid`)
  const direction = DIRECTIONS.get(statement['DataDirection'])
  if (direction === undefined) throw problem(`${path}.DataDirection`, 'must be "Inbound" or "Outbound"')
  const principals = listOf(statement['Principal'], `${path}.Principal`).map((one, at) => {
    const principal = textOf(one, `${path}.Principal[${at}]`)
    if (!PRINCIPAL.test(principal)) throw problem(`${path}.Principal[${at}]`, 'must be "*" or the ARN of an IAM principal')
    return principal
  })
  const identifiers = listOf(statement['DataIdentifier'], `${path}.DataIdentifier`).map((one, at) =>
    identifierOf(textOf(one, `${path}.DataIdentifier[${at}]`), `${path}.DataIdentifier[${at}]`, finders),
  )
  const operation = operationOf(statement['Operation'], `${path}.Operation`)
  return { sid, direction, principals, identifiers: new Set(identifiers), operation }
}

/** The identifier as it was named; makes its finder known. */
function identifierOf(given: string, path: string, finders: Map<string, Finder>): string {
  const name = MANAGED.exec(given)?.[1]
  if (name === undefined) {
    if (finders.has(given)) return given
    throw problem(
      path,
      `"${given.slice(0, 200)}" is neither the ARN of a managed data identifier nor the Name of a custom one in Configuration`,
    )
  }
  const managed = Object.hasOwn(MANAGED_IDENTIFIERS, name) ? MANAGED_IDENTIFIERS[name] : undefined
  if (managed === undefined) throw problem(path, `the managed data identifier ${name.slice(0, 200)} ${NOT_OFFERED}`)
  if (!finders.has(given)) finders.set(given, managedFinder(given, managed))
  return given
}

function operationOf(given: unknown, path: string): ProtectionOperation {
  const operation = members(given, path, ['Audit', 'Deidentify', 'Deny'])
  if (Object.keys(operation).length !== 1) throw problem(path, 'must have exactly one of Audit, Deidentify and Deny')
  if (operation['Deny'] !== undefined) {
    members(operation['Deny'], `${path}.Deny`, [])
    return { kind: 'deny' }
  }
  if (operation['Deidentify'] !== undefined) return deidentifyOf(operation['Deidentify'], `${path}.Deidentify`)
  return auditOf(operation['Audit'], `${path}.Audit`)
}

function deidentifyOf(given: unknown, path: string): ProtectionOperation {
  const config = members(given, path, ['MaskConfig', 'RedactConfig'])
  if (Object.keys(config).length !== 1) throw problem(path, 'must have exactly one of MaskConfig and RedactConfig')
  if (config['RedactConfig'] !== undefined) {
    members(config['RedactConfig'], `${path}.RedactConfig`, [])
    return { kind: 'deidentify', maskWith: undefined }
  }
  const { MaskWithCharacter: maskWith } = members(config['MaskConfig'], `${path}.MaskConfig`, ['MaskWithCharacter'])
  const isMask = typeof maskWith === 'string' && MASK.test(maskWith)
  if (!isMask) throw problem(`${path}.MaskConfig.MaskWithCharacter`, 'must be one letter, digit, space or symbol, and none of " \' \\')
  return { kind: 'deidentify', maskWith }
}

function auditOf(given: unknown, path: string): ProtectionOperation {
  const audit = members(given, path, ['SampleRate', 'FindingsDestination', 'NoFindingsDestination'])
  const rate = audit['SampleRate']
  const isRate = (typeof rate === 'string' || typeof rate === 'number') && /^\d{1,2}$/.test(String(rate))
  if (!isRate) throw problem(`${path}.SampleRate`, 'must be a whole number from 0 to 99')
  const tells = (name: 'FindingsDestination' | 'NoFindingsDestination'): boolean => {
    if (audit[name] === undefined) return false
    for (const outside of Object.keys(members(audit[name], `${path}.${name}`, ['CloudWatchLogs', 'Firehose', 'S3'])))
      throw problem(`${path}.${name}.${outside}`, `${NOT_OFFERED}: use {}, and what is found is told in events of the server`)
    return true
  }
  const [tellsFindings, tellsNoFindings] = [tells('FindingsDestination'), tells('NoFindingsDestination')]
  if (!tellsFindings && !tellsNoFindings) throw problem(path, 'must have FindingsDestination or NoFindingsDestination')
  return { kind: 'audit', sampleRate: Number(rate), tellsFindings, tellsNoFindings }
}

function customFinders(configuration: unknown): Map<string, Finder> {
  const finders = new Map<string, Finder>()
  if (configuration === undefined) return finders
  const { CustomDataIdentifier: custom } = members(configuration, 'Configuration', ['CustomDataIdentifier'])
  const path = 'Configuration.CustomDataIdentifier'
  const all = listOf(custom, path)
  if (all.length > CUSTOM_IDENTIFIERS_MAX) throw problem(path, `must have at most ${CUSTOM_IDENTIFIERS_MAX} entries, and has ${all.length}`)
  for (const [at, one] of all.entries()) {
    const { Name: name, Regex: regex } = members(one, `${path}[${at}]`, ['Name', 'Regex'])
    if (typeof name !== 'string' || !CUSTOM_NAME.test(name))
      throw problem(`${path}[${at}].Name`, 'must have 1 to 128 letters, digits, hyphens and underscores')
    if (finders.has(name)) throw problem(`${path}[${at}].Name`, `${name} is there twice`)
    try {
      finders.set(name, customFinder(name, compileCustomPattern(textOf(regex, `${path}[${at}].Regex`))))
    } catch (error) {
      throw error instanceof CustomPatternError ? problem(`${path}[${at}].Regex`, error.message) : error
    }
  }
  return finders
}

function members(value: unknown, path: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(path, 'must be a JSON object')
  for (const name of Object.keys(value))
    if (!known.includes(name))
      throw problem(path === '' ? name.slice(0, 100) : `${path}.${name.slice(0, 100)}`, 'is no member of a data protection policy')
  return value as Readonly<Record<string, unknown>>
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw problem(path, 'must be a list with at least one entry')
  return value
}

function textOf(value: unknown, path: string, charsMin = 1): string {
  if (typeof value !== 'string' || value.length < charsMin) throw problem(path, 'must be a text')
  return value
}

function problem(path: string, text: string): DataProtectionPolicyError {
  return new DataProtectionPolicyError(path === '' ? `the policy ${text}` : `${path} ${text}`)
}

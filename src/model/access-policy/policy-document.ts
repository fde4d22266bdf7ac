// Reads the text of a policy document into plain statements, with every list spelt out ("Grammar of the IAM JSON policy language").
// Whatever is wrong raises a PolicyError that names the element; nothing else is ever thrown.
import { PolicyError } from './policy-error.ts'
import { type PrincipalEntry, readPrincipals } from './principals.ts'

/** What the policy hangs on: a caller (no Principal), a resource, or a role that may be assumed (no Resource). */
export type PolicyKind = 'identity' | 'resource' | 'trust'

export interface PolicyLimits {
  readonly textBytesMax: number
  readonly statementsMin: number
  readonly statementsMax: number
  /** Of all lists together: principals, actions, resources, condition values. */
  readonly valuesMax: number
}

/** SNS's for a topic policy: 30 KB and 100 statements. */
export const POLICY_LIMITS: PolicyLimits = { textBytesMax: 30_720, statementsMin: 1, statementsMax: 100, valuesMax: 2_000 }

export interface PolicyDocument {
  readonly version: '2008-10-17' | '2012-10-17'
  readonly id?: string
  readonly statements: readonly PolicyStatement[]
}

export interface PolicyStatement {
  readonly element: string
  readonly sid?: string
  readonly effect: 'Allow' | 'Deny'
  /** Absent in identity policies. */
  readonly principals?: Choice<PrincipalEntry>
  readonly actions: Choice<string>
  /** Absent in trust policies. */
  readonly resources?: Choice<string>
  readonly conditions: readonly PolicyCondition[]
}

/** A list, or with `isNegated` all that is not in it (NotAction, NotResource, NotPrincipal). */
export interface Choice<Item> {
  readonly isNegated: boolean
  readonly items: readonly Item[]
  readonly element: string
}

export interface PolicyCondition {
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
  readonly element: string
}

export function readPolicyDocument(text: string, kind: PolicyKind, limits: PolicyLimits = POLICY_LIMITS): PolicyDocument {
  const root = parseObject(text, limits)
  refuseUnknown(root, ['Version', 'Id', 'Statement'], '')
  const version = root['Version'] ?? '2008-10-17'
  if (version !== '2008-10-17' && version !== '2012-10-17') throw new PolicyError('Version', 'must be "2012-10-17" or "2008-10-17"')
  const id = readText(root['Id'], 'Id')
  const source = root['Statement']
  if (source === undefined) throw new PolicyError('Statement', 'is missing')
  const sources: readonly unknown[] = Array.isArray(source) ? source : [source]
  if (sources.length < limits.statementsMin) throw new PolicyError('Statement', 'must hold at least one statement')
  if (sources.length > limits.statementsMax) {
    throw new PolicyError('Statement', `holds ${sources.length} statements; at most ${limits.statementsMax} are allowed`)
  }

  const statements = sources.map((item, at) => readStatement(item, Array.isArray(source) ? `Statement[${at}]` : 'Statement', kind))
  refuseRepeatedSids(statements)
  const values = statements.reduce((sum, statement) => sum + countValues(statement), 0)
  if (values > limits.valuesMax) throw new PolicyError('Statement', `lists ${values} values; at most ${limits.valuesMax} are allowed`)
  return { version, ...(id !== undefined && { id }), statements }
}

type JsonObject = Readonly<Record<string, unknown>>

function parseObject(text: string, { textBytesMax }: PolicyLimits): JsonObject {
  const bytes = Buffer.byteLength(text)
  if (bytes > textBytesMax) throw new PolicyError('Policy', `is ${bytes} bytes long; at most ${textBytesMax} are allowed`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new PolicyError('Policy', `is not valid JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return requireObject(value, 'Policy')
}

const STATEMENT_ELEMENTS = ['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']

function readStatement(value: unknown, element: string, kind: PolicyKind): PolicyStatement {
  const source = requireObject(value, element)
  refuseUnknown(source, STATEMENT_ELEMENTS, `${element}.`)
  const sid = readText(source['Sid'], `${element}.Sid`)
  const effect = source['Effect']
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError(`${element}.Effect`, 'must be "Allow" or "Deny"')
  const principals = choose(source, 'Principal', element, kind === 'identity' ? 'refused' : 'required', readPrincipals)
  if (principals?.isNegated === true && (effect === 'Allow' || kind === 'trust')) {
    throw new PolicyError(principals.element, 'is allowed only with Effect "Deny" in a resource policy; name who is allowed in Principal')
  }
  const resources = choose(source, 'Resource', element, kind === 'trust' ? 'refused' : 'required', readResources)
  return {
    element,
    ...(sid !== undefined && { sid }),
    effect,
    ...(principals && { principals }),
    actions: choose(source, 'Action', element, 'required', readActions),
    ...(resources && { resources }),
    conditions: readConditions(source['Condition'], `${element}.Condition`),
  }
}

type Need = 'required' | 'refused'
type ReadItems<Item> = (value: unknown, element: string) => readonly Item[]

function choose<Item>(source: JsonObject, name: string, element: string, need: 'required', read: ReadItems<Item>): Choice<Item>
function choose<Item>(source: JsonObject, name: string, element: string, need: Need, read: ReadItems<Item>): Choice<Item> | undefined
function choose<Item>(source: JsonObject, name: string, element: string, need: Need, read: ReadItems<Item>): Choice<Item> | undefined {
  const [plain, negated] = [source[name], source[`Not${name}`]]
  const isNegated = negated !== undefined
  const path = `${element}.${isNegated ? 'Not' : ''}${name}`
  if (plain === undefined && !isNegated) {
    if (need === 'required') throw new PolicyError(path, `is missing; give ${name} or Not${name}`)
    return undefined
  }
  if (need === 'refused') throw new PolicyError(path, 'does not belong into a policy of this kind')
  if (plain !== undefined && isNegated) throw new PolicyError(path, `stands beside ${name}; give one of the two`)
  return { isNegated, items: read(isNegated ? negated : plain, path), element: path }
}

function readActions(value: unknown, element: string): readonly string[] {
  const actions = readTexts(value, element)
  for (const action of actions) {
    if (!/^(\*|(\*|[A-Za-z0-9-]+):[A-Za-z0-9*?]+)$/.test(action)) {
      throw new PolicyError(element, `${JSON.stringify(action)} is no action; write "*" or service:Name, such as sns:Publish or sns:Get*`)
    }
  }
  return actions
}

function readResources(value: unknown, element: string): readonly string[] {
  const resources = readTexts(value, element)
  for (const resource of resources) {
    const isArn = resource.startsWith('arn:') && (resource.split(':').length >= 6 || resource.endsWith('*'))
    if (!isArn && !/^\*+$/.test(resource) && !resource.startsWith('${')) {
      const remedy = 'write "*" or an ARN of six parts, arn:partition:service:region:account:resource'
      throw new PolicyError(element, `${JSON.stringify(resource)} is no resource; ${remedy}`)
    }
  }
  return resources
}

function readConditions(value: unknown, element: string): readonly PolicyCondition[] {
  if (value === undefined) return []
  return Object.entries(requireObject(value, element)).flatMap(([operator, keys]) =>
    Object.entries(requireObject(keys, `${element}.${operator}`)).map(([key, listed]) => {
      const path = `${element}.${operator}.${key}`
      if (!/^[^\s:]+:[^\s]/.test(key)) throw new PolicyError(path, 'a condition key is written service:name, such as aws:SourceArn')
      const values: readonly unknown[] = Array.isArray(listed) ? listed : [listed]
      return { operator, key, values: values.map((item) => readScalar(item, path)), element: path }
    }),
  )
}

function readScalar(value: unknown, element: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new PolicyError(element, 'must be a text, number or boolean, or a list of such')
}

function readTexts(value: unknown, element: string): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length === 0) throw new PolicyError(element, 'must not be an empty list')
  return texts.map((text) => {
    if (typeof text !== 'string' || text === '') throw new PolicyError(element, 'must be a text or a list of texts, none empty')
    return text
  })
}

function readText(value: unknown, element: string): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new PolicyError(element, 'must be a text')
  return value
}

function requireObject(value: unknown, element: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError(element, 'must be a JSON object')
  return value as JsonObject
}

function refuseUnknown(source: JsonObject, known: readonly string[], prefix: string): void {
  for (const name of Object.keys(source)) {
    if (known.includes(name)) continue
    throw new PolicyError(`${prefix}${name === '' ? '""' : name}`, `unknown element; known are ${known.join(', ')}`)
  }
}

function refuseRepeatedSids(statements: readonly PolicyStatement[]): void {
  const seen = new Set<string>()
  for (const { sid, element } of statements) {
    if (sid === undefined || sid === '') continue
    if (seen.has(sid)) throw new PolicyError(`${element}.Sid`, `${JSON.stringify(sid)} is used twice; each statement needs its own`)
    seen.add(sid)
  }
}

function countValues({ principals, actions, resources, conditions }: PolicyStatement): number {
  const listed = (principals?.items.length ?? 0) + actions.items.length + (resources?.items.length ?? 0)
  return conditions.reduce((sum, { values }) => sum + values.length, listed)
}

// What a statement from outside may be: one SELECT over the lake's tables. Judged on DuckDB's own syntax tree, not on text, by what is
// allowed: kinds of statement, names of tables, table functions. The engine's lock-down stands behind it as the second wall.
import { TABLES } from './schema.ts'

/** Functions in FROM that make rows out of values; all others read files, other tables or the engine's own state. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['unnest', 'generate_series', 'range', 'json_each', 'json_tree'])

/** Scalar functions that look at or touch the engine instead of their arguments. */
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set([
  'current_setting',
  'set_config',
  'getenv',
  'getvariable',
  'write_log',
  'sleep_ms',
  'nextval',
  'currval',
  'current_query',
  'current_connection_id',
  'current_query_id',
  'current_transaction_id',
  'setseed',
  'stats',
  'add_parquet_key',
])

const ADVICE = `The tables are ${TABLES.join(' and ')}; DESCRIBE ${TABLES[0]} lists columns.`

/** Why the statement is refused, or undefined. `serialized`: what json_serialize_sql answered for it. */
export function refusal(serialized: string): { readonly kind: 'refused' | 'invalid'; readonly message: string } | undefined {
  const tree: unknown = JSON.parse(serialized)
  if (!isNode(tree)) return { kind: 'refused', message: 'Not a statement.' }
  if (tree['error'] === true) {
    if (tree['error_type'] === 'not implemented') return { kind: 'refused', message: `Only SELECT statements are allowed. ${ADVICE}` }
    return { kind: 'invalid', message: String(tree['error_message']) }
  }
  const statements = tree['statements']
  if (!Array.isArray(statements) || statements.length === 0) return { kind: 'invalid', message: 'The statement is empty.' }
  if (statements.length > 1) return { kind: 'refused', message: `One statement at a time, not ${statements.length}.` }
  const message = inspect(statements[0], new Set())
  return message === undefined ? undefined : { kind: 'refused', message }
}

type Node = Readonly<Record<string, unknown>>

function inspect(value: unknown, names: ReadonlySet<string>): string | undefined {
  if (Array.isArray(value)) return firstOf(value, (inner) => inspect(inner, names))
  if (!isNode(value)) return undefined
  switch (value['type']) {
    case 'BASE_TABLE':
      return refusedTable(value, names)
    case 'TABLE_FUNCTION': {
      const name = isNode(value['function']) ? String(value['function']['function_name']).toLowerCase() : ''
      if (!TABLE_FUNCTIONS.has(name)) return `The table function ${name}() is not allowed. ${ADVICE}`
      break
    }
    case 'SHOW_REF':
      if (!isNode(value['query'])) return `SHOW is not allowed. ${ADVICE}`
      break
    case 'FUNCTION':
    case 'WINDOW':
    case 'WINDOW_AGGREGATE': {
      const name = String(value['function_name']).toLowerCase()
      if (REFUSED_FUNCTIONS.has(name)) return `The function ${name}() is not allowed.`
      break
    }
    default:
  }
  return inspectWithNames(value, names)
}

/** A name given by WITH holds from its definition on and inside the node that gives it; a recursive one in its own query as well. */
function inspectWithNames(node: Node, outer: ReadonlySet<string>): string | undefined {
  const names = new Set(outer)
  if (node['type'] === 'RECURSIVE_CTE_NODE' || node['type'] === 'CTE_NODE') names.add(String(node['cte_name']).toLowerCase())
  const { cte_map: given, ...rest } = node
  const definitions = isNode(given) && Array.isArray(given['map']) ? given['map'] : []
  for (const definition of definitions) {
    if (!isNode(definition)) continue
    const problem = inspect(definition['value'], names)
    if (problem !== undefined) return problem
    names.add(String(definition['key']).toLowerCase())
  }
  return firstOf(Object.values(rest), (inner) => inspect(inner, names))
}

function refusedTable(node: Node, names: ReadonlySet<string>): string | undefined {
  const table = String(node['table_name'])
  const schema = String(node['schema_name'] ?? '')
  const catalog = String(node['catalog_name'] ?? '')
  const name = table.toLowerCase()
  if (schema === '' && catalog === '' && names.has(name)) return undefined
  if (catalog === '' && (schema === '' || schema.toLowerCase() === 'main') && TABLES.some((known) => known === name)) return undefined
  return `There is no table ${JSON.stringify([catalog, schema, table].filter((part) => part !== '').join('.'))}. ${ADVICE}`
}

function firstOf(values: readonly unknown[], find: (value: unknown) => string | undefined): string | undefined {
  for (const value of values) {
    const found = find(value)
    if (found !== undefined) return found
  }
  return undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

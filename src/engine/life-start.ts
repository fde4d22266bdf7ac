// A start on the record: what runs now, and what is different from the life before.
import { createHash } from 'node:crypto'
import { Table } from '../model/tables.ts'
import type { Env } from './env.ts'
import { closeDown, downSpans, lifeOf, putDown, putLife } from './life-rows.ts'
import { lineageOf } from './lineage.ts'
import type { Transaction } from './transaction.ts'

export interface Start {
  readonly version: string
  readonly nodeVersion: string
  readonly dataFormat: number
  readonly recoveredFrames: number
  /** Values by key, and what they are when nobody sets them. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly defaults: Readonly<Record<string, unknown>>
  /** The data directory was made by this start. */
  readonly isFirst: boolean
}

export function tellStart(tx: Transaction, env: Env, start: Start): void {
  const life = lifeOf(tx)
  const { version, nodeVersion, dataFormat, recoveredFrames } = start
  const isOtherVersion = life?.version !== undefined && life.version !== version
  if (isOtherVersion) env.acts.tell(tx, { name: 'VersionChanged', details: { from: life.version, to: version } })
  const salt = life?.salt ?? env.random.bytes(16).toString('base64')
  const settings = hashesOf(start, salt)
  const changed = life?.settings === undefined ? [] : changedKeys(life.settings, settings)
  if (changed.length > 0) env.acts.tell(tx, { name: 'ConfigurationChanged', details: { changedKeys: changed } })
  env.acts.tell(tx, {
    name: 'ServerStarted',
    details: { version, node: nodeVersion, dataFormat, recoveredFrames, lineage: lineageOf(tx)?.number, settings: Object.keys(settings) },
  })
  if (life?.version === undefined && downSpans(tx).length === 0)
    putDown(tx, { from: 0, to: tx.now, cause: start.isFirst ? 'not set up' : 'unknown' })
  const open = downSpans(tx).find((span) => span.to === undefined)
  closeDown(tx, tx.now, isOtherVersion && open?.cause === 'stopped' ? 'version change' : undefined)
  putLife(tx, { state: 'running', since: tx.now, version, salt, settings })
  tx.put(Table.acts, 'alive', { kind: 'alive', at: tx.now, uncounted: uncountedOf(tx, env) })
}

function uncountedOf(tx: Transaction, env: Env): number {
  const alive = tx.get(Table.acts, 'alive')
  return alive?.kind === 'alive' ? alive.uncounted : env.journal.tail
}

function hashesOf({ settings, defaults }: Start, salt: string): Record<string, string> {
  const changed = Object.entries(settings).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key]))
  return Object.fromEntries(
    changed.map(([key, value]) => [key, createHash('sha256').update(salt).update(JSON.stringify(value)).digest('base64').slice(0, 16)]),
  )
}

function changedKeys(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((key) => before[key] !== now[key]).sort()
}

// Rows as a table for people. Columns take what they need while the terminal is wide enough; then the widest give way first. Where even
// that leaves nothing legible, each row becomes a block of its own, one column a line. Nothing is cut when no width is given (a pipe).
import { isNumeric, type SqlValue, textOf } from '../../model/sql-rows.ts'
import type { LakeColumn } from '../../storage/lake.ts'
import { cutToWidth, displayWidth, printable } from './display-width.ts'

export interface TableOptions {
  /** Columns of the terminal; undefined: as wide as it comes. */
  readonly width: number | undefined
}

const GAP = '  '
const COLUMN_WIDTH_MIN = 8
const NULL = '-'

/** The rows as lines, each with its line feed. All rows at once, since each column's width depends on all of them. */
export function formatTable(columns: readonly LakeColumn[], rows: readonly (readonly SqlValue[])[], { width }: TableOptions): string {
  if (columns.length === 0) return ''
  const names = columns.map(({ name }) => printable(name))
  const cells = rows.map((row) => columns.map((_column, at) => cellOf(row[at] ?? null)))
  const natural = names.map((name, at) => Math.max(displayWidth(name), widestOf(cells, at)))
  const widths = width === undefined ? natural : fit(natural, names, width)
  if (widths === undefined) return formatBlocks(names, cells, width ?? Infinity)
  const right = columns.map(({ type }) => isNumeric(type))
  const line = (parts: readonly string[]): string =>
    `${parts
      .map((part, at) => pad(part, widths[at] ?? 0, right[at] === true))
      .join(GAP)
      .trimEnd()}\n`
  return line(names) + line(widths.map((columnWidth) => '─'.repeat(columnWidth))) + cells.map(line).join('')
}

function cellOf(value: SqlValue): string {
  return value === null ? NULL : printable(textOf(value))
}

function widestOf(cells: readonly (readonly string[])[], at: number): number {
  return cells.reduce((widest, row) => Math.max(widest, displayWidth(row[at] ?? '')), 0)
}

/** Widths that fit, or undefined when some column would have to be narrower than is of use. The widest are cut to one common width. */
function fit(natural: readonly number[], names: readonly string[], width: number): number[] | undefined {
  const room = width - GAP.length * (natural.length - 1)
  const least = natural.map((columnWidth, at) => Math.min(columnWidth, Math.max(COLUMN_WIDTH_MIN, displayWidth(names[at] ?? ''))))
  if (sum(least) > room) return undefined
  const cutAt = (cap: number): number[] => natural.map((columnWidth, at) => Math.min(columnWidth, Math.max(least[at] ?? 0, cap)))
  let low = 0
  let high = Math.max(...natural)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (sum(cutAt(middle)) <= room) low = middle
    else high = middle - 1
  }
  return cutAt(low)
}

function formatBlocks(names: readonly string[], cells: readonly (readonly string[])[], width: number): string {
  const nameWidth = Math.min(Math.max(...names.map(displayWidth)), Math.max(1, Math.floor(width / 2) - GAP.length))
  const valueWidth = Math.max(1, width - nameWidth - GAP.length)
  return cells
    .map((row, at) => {
      const lines = row.map((cell, column) =>
        `${pad(names[column] ?? '', nameWidth, false)}${GAP}${cutToWidth(cell, valueWidth)}`.trimEnd(),
      )
      return `${cutToWidth(`── row ${at + 1} ──`, width)}\n${lines.join('\n')}\n`
    })
    .join('')
}

function pad(text: string, width: number, right: boolean): string {
  const cut = cutToWidth(text, width)
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(cut)))
  return right ? blanks + cut : cut + blanks
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

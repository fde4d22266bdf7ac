// Counters, gauges and histograms in memory, and their text form for Prometheus.

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  add(amount: number, labels?: Labels): void
  /** The same with fixed labels, for what counts often: `count()` adds one. */
  labelled(labels: Labels): () => void
}
export interface Histogram {
  /** Records one value in the histogram's unit. */
  observe(value: number): void
}

export interface Meter {
  counter(name: string, help: string): Counter
  histogram(name: string, help: string, bounds: readonly number[]): Histogram
  /** `read` runs at each scrape; several samples by labels. */
  gauge(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void
  /** Prometheus text exposition format 0.0.4. */
  text(): string
}

export function createMeter(): Meter {
  const families: (() => string)[] = []
  return {
    counter(name, help) {
      const cells = new Map<string, { value: number }>()
      /** By names and values in turn, as they come: their text is written once. */
      const known: Known = { below: new Map() }
      families.push(() => header(name, help, 'counter') + [...cells].map(([labels, { value }]) => `${name}${labels} ${value}\n`).join(''))
      const cellOf = (labels: Labels): { value: number } => {
        const key = labelText(labels)
        let cell = cells.get(key)
        if (cell === undefined) cells.set(key, (cell = { value: 0 }))
        return cell
      }
      return {
        add(amount, labels = {}) {
          let at = known
          for (const name in labels) at = next(next(at, name), labels[name] ?? '')
          at.cell ??= cellOf(labels)
          at.cell.value += amount
        },
        labelled(labels) {
          const cell = cellOf(labels)
          return () => void cell.value++
        },
      }
    },
    histogram(name, help, bounds) {
      const counts = new Float64Array(bounds.length + 1)
      let sum = 0
      families.push(() => {
        let below = 0
        const rows = bounds.map((bound, at) => `${name}_bucket{le="${bound}"} ${(below += counts[at] ?? 0)}\n`)
        const all = below + (counts[bounds.length] ?? 0)
        const total = `${name}_bucket{le="+Inf"} ${all}\n${name}_sum ${sum}\n${name}_count ${all}\n`
        return `${header(name, help, 'histogram')}${rows.join('')}${total}`
      })
      return {
        observe(value) {
          let at = 0
          while (at < bounds.length && value > (bounds[at] ?? Infinity)) at++
          counts[at] = (counts[at] ?? 0) + 1
          sum += value
        },
      }
    },
    gauge(name, help, read) {
      families.push(
        () => header(name, help, 'gauge') + [...read()].map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`).join(''),
      )
    },
    text: () => families.map((family) => family()).join(''),
  }
}

function header(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

interface Known {
  readonly below: Map<string, Known>
  cell?: { value: number }
}

function next({ below }: Known, text: string): Known {
  let known = below.get(text)
  if (known === undefined) below.set(text, (known = { below: new Map() }))
  return known
}

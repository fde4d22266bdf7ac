// Reads a command's words: options anywhere, `--name value` or `--name=value`, `--` ends them. All problems are listed at once.
import { nearest } from '../base/nearest.ts'
import { type Given, type Options, UsageError } from './command.ts'

export function readOptions<O extends Options>(
  options: O,
  words: readonly string[],
): { readonly given: Given<O>; readonly operands: readonly string[] } {
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => [name, kind === 'flag' ? false : kind === 'texts' ? [] : undefined]),
  )
  const operands: string[] = []
  const problems: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') {
      operands.push(...words.slice(at + 1))
      break
    }
    if (!word.startsWith('--')) {
      if (/^-[A-Za-z]/.test(word)) problems.push(`there is no option ${word}; options have two dashes`)
      else operands.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const name = word.slice(2, equals === -1 ? undefined : equals)
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined) {
      const close = nearest(name, Object.keys(options))
      problems.push(`there is no option --${name}${close === undefined ? '' : `; did you mean --${close}?`}`)
      continue
    }
    if (option.kind === 'flag') {
      if (equals === -1) values[name] = true
      else problems.push(`--${name} takes no value`)
      continue
    }
    const value = equals === -1 ? words[++at] : word.slice(equals + 1)
    if (value === undefined) problems.push(`--${name} needs a value: --${name} ${option.value ?? 'VALUE'}`)
    else if (option.kind === 'texts') (values[name] as string[]).push(value)
    else values[name] = value
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return { given: values as Given<O>, operands }
}

/** The lines of a help text that list the options. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(
    ([name, { kind, value, help }]) => [`--${name}${kind === 'flag' ? '' : ` ${value ?? 'VALUE'}`}`, help] as const,
  )
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}\n`).join('')
}

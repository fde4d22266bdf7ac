// Where the root key comes from: the environment, a passphrase, or a file. Secrets come from the environment and from files only.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { KEY_BYTES } from '../base/aead.ts'
import { CommandError } from '../cli/command.ts'
import { type RootsAtHand, type RootSource, type RootSources, rootsAtHand } from '../model/root-key.ts'
import type { Environment } from './given.ts'

const PASSPHRASE_CHARS_MIN = 12

/** Throws CommandError. `rootFile`: the setting keys.rootFile. */
export function readRootSources(environment: Environment, rootFile?: string): RootSources {
  const file: RootSource = { kind: 'file', ...(rootFile !== undefined && { file: resolve(rootFile) }) }
  const current = sourceOf(environment, '')
  if (current !== undefined && rootFile !== undefined)
    throw new CommandError('keys.rootFile and a root key in the environment exclude each other: give one of them')
  const previous = environment['SEALCAST_ROOT_KEY_PREVIOUS'] === 'file' ? file : sourceOf(environment, '_PREVIOUS')
  return { current: current ?? file, ...(previous !== undefined && { previous }) }
}

/**
 * The keys for looking at what is sealed somewhere else than in a data directory: of files that are named, else of the environment, else
 * of one file that need not be there. Throws CommandError.
 */
export function readRootsAtHand(environment: Environment, files: readonly string[], perhaps?: string): RootsAtHand {
  if (files.length > 0) return rootsAtHand(files.map((file) => readKeyFile(file)))
  const { current, previous } = readRootSources(environment)
  const given = [current, ...(previous === undefined ? [] : [previous])]
  const keys = given.flatMap((source) => (source.kind === 'environment' ? [source.key] : []))
  const passphrases = given.flatMap((source) => (source.kind === 'passphrase' ? [source.passphrase] : []))
  const isNamed = keys.length + passphrases.length > 0
  const beside = isNamed || perhaps === undefined || !existsSync(perhaps) ? [] : [readKeyFile(perhaps)]
  return rootsAtHand([...keys, ...beside], passphrases)
}

function readKeyFile(file: string): Buffer {
  let key: Buffer
  try {
    key = readFileSync(file)
  } catch (error) {
    throw new CommandError(`--root-key: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (key.length !== KEY_BYTES) throw new CommandError(`${file} is no root key: a root key has ${KEY_BYTES} bytes`)
  return key
}

function sourceOf(environment: Environment, suffix: '' | '_PREVIOUS'): RootSource | undefined {
  const [keyName, passphraseName, fileName] = ['KEY', 'PASSPHRASE', 'PASSPHRASE_FILE'].map((name) => `SEALCAST_ROOT_${name}${suffix}`)
  const given = [keyName, passphraseName, ...(suffix === '' ? [fileName] : [])].filter((name = '') => (environment[name] ?? '') !== '')
  if (given.length > 1) throw new CommandError(`${given.join(' and ')} exclude each other: give one of them`)
  const [name] = given
  if (name === undefined) return undefined
  const value = environment[name] ?? ''
  if (name === keyName) {
    const key = Buffer.from(value, 'base64')
    if (key.length !== KEY_BYTES || key.toString('base64') !== value)
      throw new CommandError(`${name} must be the base64 of ${KEY_BYTES} bytes, as of: openssl rand -base64 ${KEY_BYTES}`)
    return { kind: 'environment', key }
  }
  const passphrase = name === fileName ? readPassphrase(name, value) : value
  if (passphrase.length < PASSPHRASE_CHARS_MIN)
    throw new CommandError(`${name}: a passphrase has at least ${PASSPHRASE_CHARS_MIN} characters`)
  return { kind: 'passphrase', passphrase }
}

function readPassphrase(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new CommandError(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

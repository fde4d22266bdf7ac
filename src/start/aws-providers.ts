// Endpoints of other AWS services that messages are delivered to, with their keys, as the operator gave them.
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AwsEndpoint, LocalFunction, ProviderOptions } from '../engine/providers.ts'
import { type AwsKey, checkedAwsKey, readAwsKeyFile } from '../model/aws-key-file.ts'
import type { Environment } from './given.ts'
import type { Given } from './providers.ts'

export function readAwsProviders(given: Given): Pick<ProviderOptions, 'lambda' | 'firehose' | 'queues'> {
  const { config } = given
  return {
    lambda: lambdaProvider(given),
    firehose: serviceProvider('firehose', config['firehose.provider'], given),
    queues: queueProvider(given),
  }
}

function lambdaProvider(given: Given): ProviderOptions['lambda'] {
  const { config, environment, problems } = given
  const { 'lambda.provider': kind, 'lambda.command': argv, 'lambda.url': url } = config
  const runs: LocalFunction[] = []
  if (argv.length > 0) runs.push({ kind: 'command', command: { argv, environment: commandEnvironment(environment) } })
  if (url !== undefined) runs.push({ kind: 'url', url })
  if (runs.length > 1) problems.push('lambda.command and lambda.url: captured events are run by one of them; leave the other out')
  if (runs.length > 0 && kind !== 'capture')
    problems.push('lambda.command and lambda.url are for lambda.provider capture; set that, or leave them out')
  const provider = serviceProvider('lambda', kind, given)
  const [run] = runs
  return provider.kind === 'capture' && run !== undefined ? { ...provider, runs: run } : provider
}

/** What programs need to be found and to find their things; no secrets of ours. */
function commandEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const names = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'SYSTEMROOT']
  return Object.fromEntries(names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])))
}

function serviceProvider(service: 'firehose' | 'lambda', kind: 'capture' | 'endpoint' | 'none', given: Given): ProviderOptions['firehose'] {
  const { config, problems } = given
  const names = { url: `${service}.endpoint`, file: `${service}.credentialsFile`, variables: `SEALCAST_${service.toUpperCase()}` } as const
  if (kind === 'endpoint') return endpointProvider(names, given, `${service}.provider is endpoint`)
  const vain = [names.url, names.file].filter((name) => config[name] !== undefined)
  if (vain.length > 0) problems.push(`${vain.join(' and ')}: for ${service}.provider endpoint alone; set that, or leave out what is for it`)
  return { kind }
}

function queueProvider(given: Given): ProviderOptions['queues'] {
  const names = { url: 'sqs.remoteEndpoint', file: 'sqs.remoteCredentialsFile', variables: 'SEALCAST_SQS_REMOTE' } as const
  if (given.config[names.url] !== undefined) return endpointProvider(names, given, `${names.url} is set`)
  if (given.config[names.file] !== undefined) given.problems.push(`${names.file} is for ${names.url}, which is missing`)
  return { kind: 'none' }
}

interface Names {
  readonly url: 'firehose.endpoint' | 'lambda.endpoint' | 'sqs.remoteEndpoint'
  readonly file: 'firehose.credentialsFile' | 'lambda.credentialsFile' | 'sqs.remoteCredentialsFile'
  /** What the names of the variables with a key begin with. */
  readonly variables: string
}

/** Nothing, where something is missing or wrong. */
function endpointProvider(
  names: Names,
  given: Given,
  why: string,
): { readonly kind: 'none' } | { readonly kind: 'endpoint'; readonly endpoint: AwsEndpoint } {
  const { config, problems } = given
  const url = config[names.url]
  if (url === undefined) problems.push(`${why}: ${names.url} is missing`)
  else if (URL.parse(url.replaceAll('{region}', 'region')) === null) problems.push(`${names.url} is no URL`)
  const key = readKey(names, given, why)
  return url === undefined || key === undefined ? { kind: 'none' } : { kind: 'endpoint', endpoint: { url: url.replace(/\/$/, ''), key } }
}

function readKey(
  { file: setting, variables }: Names,
  { config, environment, log, problems }: Given,
  why: string,
): (() => AwsKey) | undefined {
  const names = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'].map((name) => `${variables}_${name}`)
  const [id, secret, token] = names.map((name) => environment[name])
  const file = config[setting]
  const isInEnvironment = id !== undefined || secret !== undefined
  if (file !== undefined && isInEnvironment) {
    problems.push(`${setting} and ${variables}_ACCESS_KEY_ID: give the key in one place`)
    return undefined
  }
  if (file === undefined && !isInEnvironment) {
    problems.push(`${why}: give its key by ${setting}, or by ${names[0]} and ${names[1]}`)
    return undefined
  }
  if (file !== undefined) return keyOfFile(resolve(file), setting, { log, problems })
  const key = checkedAwsKey(id, secret, token)
  if (!('problem' in key)) return () => key
  problems.push(`${names[0]} and ${names[1]}: ${key.problem}`)
  return undefined
}

/** The file is read again when it changed: keys of sessions are written anew before they expire. */
function keyOfFile(file: string, setting: string, { log, problems }: Pick<Given, 'log' | 'problems'>): (() => AwsKey) | undefined {
  let readAt = versionOf(file)
  const first = readKeyFile(file)
  if ('problem' in first) {
    problems.push(`${setting}: ${first.problem}`)
    return undefined
  }
  let key = first
  return () => {
    const version = versionOf(file)
    if (version === readAt) return key
    readAt = version
    const next = readKeyFile(file)
    if ('problem' in next)
      log.warn('a changed file of credentials cannot be used; the key of before is', { setting, problem: next.problem })
    else key = next
    return key
  }
}

function versionOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

function readKeyFile(file: string): AwsKey | { readonly problem: string } {
  try {
    return readAwsKeyFile(readFileSync(file, 'utf8'))
  } catch (error) {
    return { problem: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})` }
  }
}

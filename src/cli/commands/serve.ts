// sealcast serve: runs the server until it is told to end.
import { resolve } from 'node:path'
import { type Command, type RunningServer, UsageError } from '../command.ts'

const options = {
  port: { kind: 'text', value: 'PORT', help: 'TCP port (SEALCAST_PORT; 4566); 0 takes any free one' },
  host: { kind: 'text', value: 'ADDRESS', help: 'address to listen on (SEALCAST_HOST; 127.0.0.1)' },
  data: { kind: 'text', value: 'FOLDER', help: 'data directory (SEALCAST_DATA; ./sealcast-data)' },
  config: { kind: 'text', value: 'FILE', help: 'configuration file (JSON)' },
  set: { kind: 'texts', value: 'KEY=VALUE', help: 'one setting, such as trail.deliveryIntervalSeconds=60; may be repeated' },
  'tls-cert': { kind: 'text', value: 'FILE', help: 'certificate chain (PEM); with --tls-key serves TLS in place of plain HTTP' },
  'tls-key': { kind: 'text', value: 'FILE', help: 'private key (PEM)' },
  log: { kind: 'text', value: 'FORMAT', help: 'form of the log: text or json' },
  dev: { kind: 'flag', help: 'for trying out and CI: keys test/test, everything in memory, private targets allowed' },
} as const

const DEFAULT_FOLDER = './sealcast-data'

/** Options that stand for a setting, and the environment variable that does too. */
const SHORT = [
  ['port', 'server.port', 'SEALCAST_PORT'],
  ['host', 'server.host', 'SEALCAST_HOST'],
  ['data', 'data.folder', 'SEALCAST_DATA'],
  ['tls-cert', 'server.tlsCert', undefined],
  ['tls-key', 'server.tlsKey', undefined],
  ['log', 'log.format', undefined],
] as const

export const serve: Command<typeof options> = {
  summary: 'run the server',
  help: [
    'One port serves SNS, SQS, S3, STS and CloudTrail. The first start makes account 000000000000 (SEALCAST_ACCOUNT_ID) with a root key,',
    'random unless SEALCAST_ROOT_ACCESS_KEY_ID and SEALCAST_ROOT_SECRET_ACCESS_KEY give it. All settings: docs/OPERATING.md.',
    'SIGTERM answers what is in flight and ends; SIGHUP reads the TLS files again.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`serve takes no operands, but got ${operands.join(' ')}`)
    const set = [
      ...SHORT.flatMap(([, key, variable]) => {
        const value = variable === undefined ? undefined : terminal.environment[variable]
        return value === undefined || value === '' ? [] : [{ key, value, from: variable ?? '' }]
      }),
      ...given.set.map(readAssignment),
      ...SHORT.flatMap(([name, key]) => {
        const value = given[name]
        return value === undefined ? [] : [{ key, value, from: `--${name}` }]
      }),
    ]
    if (given.dev && given.data !== undefined) throw new UsageError('--dev keeps everything in memory; leave --data out')
    const server = await terminal.start({ dev: given.dev, configFile: given.config, set })
    if (given.log !== 'json')
      terminal.note(greeting(server, given.dev, server.dataFolder === resolve(terminal.workingFolder, DEFAULT_FOLDER)))
    await new Promise<void>((resolve) => {
      if (terminal.interrupted.aborted) resolve()
      else terminal.interrupted.addEventListener('abort', () => resolve(), { once: true })
    })
    await server.stop(String(terminal.interrupted.reason))
    return 0
  },
}

function readAssignment(text: string): { readonly key: string; readonly value: string; readonly from: string } {
  const equals = text.indexOf('=')
  if (equals < 1) throw new UsageError(`--set takes KEY=VALUE, not ${text}`)
  return { key: text.slice(0, equals), value: text.slice(equals + 1), from: `--set ${text.slice(0, equals)}` }
}

function greeting({ url, dataFolder, accountId, accessKeyId, isNew }: RunningServer, isDev: boolean, isDefaultFolder: boolean): string {
  const lines = [`Sealcast listens on ${url}`]
  if (isDev)
    lines.push(
      'DEVELOPMENT MODE: nothing is kept when it ends, the root key is test/test, and deliveries may reach private addresses.',
      'Do not put anything real into it.',
      `What goes out to people is kept: npx sealcast inbox --url ${url}`,
    )
  else lines.push(`stores in ${dataFolder}${isNew ? ' (new)' : ''}, account ${accountId}, root key ${accessKeyId}`)
  const data = isDefaultFolder ? '' : ` --data ${dataFolder}`
  lines.push(
    'Try, in another terminal:',
    `  eval "$(npx sealcast env${data})"`,
    '  aws sns create-topic --name hello',
    `or let it show itself:  npx sealcast demo${data}`,
  )
  return `${lines.join('\n')}\n`
}

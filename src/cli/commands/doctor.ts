// sealcast doctor: looks at the clients of this machine and warns of those that cannot be pointed at the server.
import { execFile } from 'node:child_process'
import { type Command } from '../command.ts'

const options = { json: { kind: 'flag', help: 'print JSON lines' } } as const

interface Finding {
  readonly client: string
  readonly version: string
  readonly verdict: 'ok' | 'too old' | 'absent'
  readonly advice?: string
}

/** The first versions that know AWS_ENDPOINT_URL. */
const CLI_MIN = { 1: [1, 29, 0], 2: [2, 13, 0] } as const
const BOTOCORE_MIN = [1, 31, 0]

export const doctor: Command<typeof options> = {
  summary: 'check that the AWS clients of this machine can be pointed at the server',
  help: 'AWS_ENDPOINT_URL works from AWS CLI 1.29 or 2.13 and botocore 1.31 on. Exit code 1 when a client is too old.',
  options,
  async run(given, _operands, terminal) {
    const findings = await Promise.all([awsCli(), botocore()])
    for (const finding of findings) await terminal.write(given.json ? `${JSON.stringify(finding)}\n` : describe(finding))
    return findings.some(({ verdict }) => verdict === 'too old') ? 1 : 0
  },
}

async function awsCli(): Promise<Finding> {
  const text = await outputOf('aws', ['--version'])
  const version = /aws-cli\/([\d.]+)/.exec(text ?? '')?.[1]
  if (version === undefined) return { client: 'AWS CLI', version: '', verdict: 'absent', advice: 'install it, or use an SDK' }
  const least = version.startsWith('1.') ? CLI_MIN[1] : CLI_MIN[2]
  const finding = judge(
    'AWS CLI',
    version,
    least,
    `AWS_ENDPOINT_URL needs ${least.join('.')} or newer; older ones need --endpoint-url on each call`,
  )
  // Quirk: version 1 replaces the endpoint of SQS by one of AWS's unless it stands on the command line.
  return finding.verdict === 'ok' && version.startsWith('1.')
    ? { ...finding, advice: 'for sqs alone pass --endpoint-url "$AWS_ENDPOINT_URL"' }
    : finding
}

async function botocore(): Promise<Finding> {
  const version = (await outputOf('python3', ['-c', 'import botocore; print(botocore.__version__)']))?.trim()
  if (version === undefined || version === '') return { client: 'botocore (boto3)', version: '', verdict: 'absent' }
  return judge(
    'botocore (boto3)',
    version,
    BOTOCORE_MIN,
    `AWS_ENDPOINT_URL needs ${BOTOCORE_MIN.join('.')} or newer; older ones need endpoint_url= on each client`,
  )
}

function judge(client: string, version: string, least: readonly number[], advice: string): Finding {
  const parts = version.split('.').map(Number)
  const difference = least.map((number, at) => (parts[at] ?? 0) - number).find((step) => step !== 0) ?? 0
  return difference < 0 ? { client, version, verdict: 'too old', advice } : { client, version, verdict: 'ok' }
}

function describe({ client, version, verdict, advice }: Finding): string {
  return `${client.padEnd(18)} ${version.padEnd(10)} ${verdict}${advice === undefined ? '' : `: ${advice}`}\n`
}

function outputOf(program: string, words: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...words], { timeout: 10_000 }, (error, stdout, stderr) => resolve(error === null ? stdout + stderr : undefined))
  })
}

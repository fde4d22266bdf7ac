// A stock Terraform (or OpenTofu) and AWS's provider against a server of its own: applies a stack of topics, queues, subscriptions and
// policies, plans nothing, changes what can change, plans nothing again, and destroys it without a rest. Run by hand, because the provider
// takes minutes to build: node bin/node26.js scripts/terraform.ts PROVIDER [--terraform tofu]
//
// PROVIDER is the program terraform-provider-aws. Where no registry of providers can be reached, the Go module proxy has version 1.60.0 of
// github.com/hashicorp/terraform-provider-aws; with `replace github.com/hashicorp/terraform => ... v0.12.29`, which speaks the protocol of
// today's Terraform, and `replace github.com/aws/aws-sdk-go => ... v1.17.0` in its go.mod, `go build -mod=mod` makes it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { awsEnvironment, clientConfig, startTestServer, temporaryFolder } from '../tests/server.ts'
import { resultOf } from '../tests/child-result.ts'

const STEP_MS_MAX = 300_000
/** `terraform plan -detailed-exitcode`: nothing to do. */
const NOTHING_TO_DO = 0

const { values, positionals } = parseArgs({ allowPositionals: true, options: { terraform: { type: 'string', default: 'terraform' } } })
const [provider] = positionals
if (provider === undefined) {
  process.stderr.write('usage: terraform.ts PROVIDER [--terraform PROGRAM]\n')
  process.exit(2)
}

const folder = temporaryFolder()
const providers = join(folder.path, 'providers')
mkdirSync(providers)
symlinkSync(resolve(provider), join(providers, 'terraform-provider-aws'))
copyFileSync(join(import.meta.dirname, 'terraform', 'main.tf'), join(folder.path, 'main.tf'))
const settings = join(folder.path, 'terraform.rc')
writeFileSync(settings, `provider_installation {\n  dev_overrides { "hashicorp/aws" = ${JSON.stringify(providers)} }\n  direct {}\n}\n`)

// Credentials of the application are those of nobody: nothing signs in with them.
const captured = ['push.provider=capture', 'sms.provider=capture'].flatMap((setting) => ['--set', setting])
const server = await startTestServer({ data: join(folder.path, 'data'), words: captured })
const [sns, sqs] = [new SNS(clientConfig(server.url)), new SQS(clientConfig(server.url))]

async function terraform(verb: string, isChanged: boolean, ...words: readonly string[]): Promise<number | null> {
  const child = spawn(values.terraform, [verb, '-no-color', ...words, '-var', `url=${server.url}`, '-var', `changed=${isChanged}`], {
    cwd: folder.path,
    env: { ...process.env, ...awsEnvironment(server.url), TF_CLI_CONFIG_FILE: settings, CHECKPOINT_DISABLE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { code, output, notes } = await resultOf(child, STEP_MS_MAX)
  const [summary] = [...output.matchAll(/^(Apply complete|Destroy complete|No changes|Plan:).*$/gm)].at(-1) ?? []
  process.stdout.write(`${verb}${isChanged ? ', changed' : ''}: ${summary ?? `exit ${code}\n${output}\n${notes}`}\n`)
  return code
}

async function rest(): Promise<unknown> {
  const { Topics } = await sns.listTopics({})
  const { Subscriptions } = await sns.listSubscriptions({})
  const { PlatformApplications } = await sns.listPlatformApplications({})
  const { QueueUrls = [] } = await sqs.listQueues({})
  return [Topics, Subscriptions, PlatformApplications, QueueUrls]
}

try {
  for (const isChanged of [false, true]) {
    assert.equal(await terraform('apply', isChanged, '-auto-approve'), 0)
    assert.equal(await terraform('plan', isChanged, '-detailed-exitcode'), NOTHING_TO_DO, 'the plan after it is empty')
  }
  assert.equal(await terraform('destroy', true, '-auto-approve'), 0)
  assert.deepEqual(await rest(), [[], [], [], []], 'nothing is left')
} finally {
  await server.kill()
  folder.remove()
}
process.stdout.write('1 passed, 0 failed\n')

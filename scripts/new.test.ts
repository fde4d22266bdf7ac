import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addEntry, addImport, addItem, NewError, planPlug } from './new.ts'
import { checkStyle } from './style.ts'

const FILES: Readonly<Record<string, string>> = {
  'src/services/sns/index.ts': `// SNS.
import type { Service } from '../../engine/operation.ts'
import { createTopic } from './create-topic.ts'
import {
  publish,
} from './publish.ts'

const operations = {
  CreateTopic: createTopic,
  Publish: publish,
} satisfies Record<string, unknown>
`,
  'src/services/sns/operation.ts': 'export type SnsOperation<Input, Output> = unknown\n',
  'src/services/sns/model.json': JSON.stringify({
    operations: { DeleteTopic: { input: 'DeleteTopicInput' }, ListSMSPages: { input: 'ListIn', output: 'ListOut' } },
  }),
  'src/services/sts/index.ts': `// STS.
export const sts = {
  operations: {
    GetCallerIdentity: getCallerIdentity,
  },
} satisfies Service
`,
  'src/services/sts/model.json': JSON.stringify({
    operations: { AssumeRole: { input: 'AssumeRoleRequest', output: 'AssumeRoleResponse' } },
  }),
  'src/deliverers/index.ts':
    "import { createHttp } from './http.ts'\n\n" +
    'export function createDeliverers(parts) {\n  return {\n    http: createHttp(parts),\n  }\n}\n',
  'src/cli/commands/index.ts':
    "import { tail } from './tail.ts'\n\nexport const commands: Readonly<Record<string, AnyCommand>> = {\n  tail,\n  env,\n}\n",
  'src/house/followers.ts':
    "import { x } from '../base/x.ts'\n\n" +
    '      const serving: readonly Follower[] = [\n        delivery,\n        new TrailFollower({ env }),\n      ]\n',
}

const read = (path: string): string | undefined => FILES[path]

function written(socket: string, name: string): Readonly<Record<string, string>> {
  const changes = planPlug(socket, name, read)
  for (const { path, content } of changes) {
    if (FILES[path] === undefined) assert.deepEqual(checkStyle(path, content).failures, [], path)
  }
  return Object.fromEntries(changes.map(({ path, content }) => [path, content]))
}

test('an operation of a service with parts', () => {
  const files = written('operation', 'sns/DeleteTopic')
  assert.deepEqual(Object.keys(files), [
    'src/services/sns/delete-topic.ts',
    'src/services/sns/delete-topic.test.ts',
    'src/services/sns/index.ts',
  ])
  assert.match(
    files['src/services/sns/delete-topic.ts'] ?? '',
    /export const deleteTopic: SnsOperation<DeleteTopicInput, undefined> = \(\) => \(\{/,
  )
  assert.match(files['src/services/sns/delete-topic.test.ts'] ?? '', /harness\.call\('sns', 'DeleteTopic'/)
  assert.equal(
    files['src/services/sns/index.ts'],
    FILES['src/services/sns/index.ts']
      ?.replace('import {\n  publish', "import { deleteTopic } from './delete-topic.ts'\nimport {\n  publish")
      .replace('  Publish: publish', '  DeleteTopic: deleteTopic,\n  Publish: publish'),
  )
})

test('an operation of a service without parts, and names with capitals in a row', () => {
  const files = written('operation', 'sts/AssumeRole')
  assert.match(
    files['src/services/sts/assume-role.ts'] ?? '',
    /export const assumeRole: Operation<AssumeRoleRequest, AssumeRoleResponse> = \{/,
  )
  assert.match(files['src/services/sts/index.ts'] ?? '', /operations: \{\n {4}AssumeRole: assumeRole,\n {4}GetCallerIdentity/)
  assert.match(written('operation', 'sns/ListSMSPages')['src/services/sns/list-sms-pages.ts'] ?? '', /access: 'read'/)
})

test('a deliverer, a command and a follower', () => {
  assert.equal(
    written('deliverer', 'email-json')['src/deliverers/index.ts'],
    "import { createEmailJson } from './email-json.ts'\nimport { createHttp } from './http.ts'\n\n" +
      "export function createDeliverers(parts) {\n  return {\n    'email-json': createEmailJson(parts),\n" +
      '    http: createHttp(parts),\n  }\n}\n',
  )
  const command = written('command', 'export')
  assert.match(command['src/cli/commands/index.ts'] ?? '', /^import \{ exportPlug \} from '.\/export.ts'\n/)
  assert.match(command['src/cli/commands/index.ts'] ?? '', / {2}tail,\n {2}env,\n {2}export: exportPlug,\n\}/)
  const follower = written('follower', 'retention')
  assert.match(follower['src/house/followers.ts'] ?? '', /TrailFollower\(\{ env \}\),\n {8}createRetentionFollower\(env\),\n {6}\]/)
  assert.match(follower['src/followers/retention.ts'] ?? '', /export function createRetentionFollower/)
})

test('says what to ask for instead', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['gadget', 'x', /no socket "gadget"; there are operation, deliverer, follower, command/],
    ['operation', 'Publish', /write SERVICE\/Operation/],
    ['operation', 'ses/Send', /src\/services\/ses has no index.ts/],
    ['operation', 'sns/Shout', /no operation Shout; it has DeleteTopic/],
    ['deliverer', 'EmailJson', /kebab-case/],
  ]
  for (const [socket, name, problem] of refused) {
    assert.throws(
      () => planPlug(socket, name, read),
      (error) => error instanceof NewError && problem.test(error.message),
    )
  }
  const taken = (path: string): string | undefined => (path === 'src/deliverers/lambda.ts' ? '' : read(path))
  assert.throws(() => planPlug('deliverer', 'lambda', taken), /lambda.ts is there already/)
})

test('entries find their place', () => {
  assert.equal(addEntry('const a = {}\n', /const a = \{/, 'b', 'b'), 'const a = { b }\n')
  assert.equal(addItem('f: [x(1, 2)]', /f: \[/, 'y'), 'f: [x(1, 2), y]')
  assert.equal(addImport('// Header.\n', 'a', './a.ts'), "import { a } from './a.ts'\n// Header.\n")
  assert.throws(() => addEntry("// const a = {\nconst b = 'const a = {'", /const a = \{/, 'b', 'b'), /add the line by hand/)
})

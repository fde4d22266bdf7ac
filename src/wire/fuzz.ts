// Throws mutated bytes at everything of the wire that reads bytes. A target may refuse with a ServiceError; any other error, a run that
// takes too long, or two codecs that disagree is a finding. CANARY is a codec with a real mistake, which every run MUST catch.
import { isDeepStrictEqual } from 'node:util'
import { AssertionError } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { type Random, seededRandom } from '../base/random.ts'
import { ServiceError } from '../model/service-error.ts'
import type { OperationShape, ServiceModel } from '../model/shape.ts'
import { decodeChunked } from './aws-chunked.ts'
import { decodeJson, encodeJsonError } from './codecs/aws-json.ts'
import { decodeQuery, encodeQueryError } from './codecs/aws-query.ts'
import { EMPTY_FORM, parseForm } from './codecs/form.ts'
import { decodePublish, decodePublishBatch } from './codecs/publish.ts'
import { SQS_CODECS } from './codecs/sqs.ts'
import { decodeRest, encodeRestError } from './codecs/rest-xml.ts'
import { createDoor } from './door.ts'
import type { HttpRequest } from './http.ts'

export interface FuzzTarget {
  readonly name: string
  /** Inputs that the target accepts; mutations start from them. */
  readonly seeds: readonly Buffer[]
  /** Throws, or rejects, with what is a finding unless it is a ServiceError. */
  readonly run: (input: Buffer) => unknown
}

export interface Finding {
  readonly target: string
  readonly input: Buffer
  readonly problem: string
}

export interface FuzzOptions {
  readonly targets: readonly FuzzTarget[]
  readonly random: Random
  readonly clock: Clock
  /** Asked before each input. */
  readonly isOver: (inputs: number) => boolean
  /** An input that takes longer is a finding. */
  readonly inputMsMax: number
}

/** The first finding, or undefined; `inputs` tells how many were tried. */
export async function fuzz({
  targets,
  random,
  clock,
  isOver,
  inputMsMax,
}: FuzzOptions): Promise<{ finding: Finding | undefined; inputs: number }> {
  let inputs = 0
  while (!isOver(inputs)) {
    const target = targets[random.below(targets.length)] as FuzzTarget
    const input = mutate(target.seeds, random)
    const start = clock.monotonic()
    let problem: string | undefined
    try {
      await target.run(input)
    } catch (error) {
      if (!(error instanceof ServiceError)) problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      else problem = encodingProblem(error)
    }
    const took = clock.monotonic() - start
    if (took > inputMsMax) problem ??= `took ${Math.round(took)} ms`
    inputs++
    if (problem !== undefined) return { finding: { target: target.name, input, problem }, inputs }
  }
  return { finding: undefined, inputs }
}

/** A refusal must itself be sayable in every protocol. */
function encodingProblem(error: ServiceError): string | undefined {
  if (!(error.status >= 400 && error.status <= 599)) return `a refusal with status ${error.status}`
  const model = { errors: {}, queryCompatible: true } as ServiceModel
  const texts = [
    encodeQueryError('n', error, 'r'),
    encodeJsonError(model, error).body,
    encodeRestError(error, { resource: '/', requestId: 'r', hostId: 'h' }),
  ]
  return texts.some((text) => text.length > 64 * 1024) ? 'a refusal that is longer than 64 KiB' : undefined
}

export interface FuzzModels {
  readonly sns: ServiceModel
  readonly sqs: ServiceModel
  readonly sts: ServiceModel
  readonly s3: ServiceModel
  readonly cloudtrail: ServiceModel
}

const text = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1')

const FORMS = [
  text('Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A000000000000%3At&Message=h%C3%A9llo+w%20orld&Subject=s'),
  text(
    'Action=Publish&Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary',
    '&MessageAttributes.entry.1.Value.BinaryValue=AgME&MessageAttributes.entry.2.Name=b&MessageAttributes.entry.2.Value.StringValue=x',
  ),
  text('Action=CreateTopic&Name=a&Attributes.entry.1.key=k&Attributes.entry.1.value=v&Tags.member.1.Key=a&Tags.member.1.Value=b'),
  text(
    'QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v&AttributeName.1=All&MaxNumberOfMessages=10',
  ),
]
const ENTRY = '&PublishBatchRequestEntries.member.'
const ATTRIBUTE = `${ENTRY}1.MessageAttributes.entry.1.`
const BATCH = text(
  `Action=PublishBatch&Version=2010-03-31&TopicArn=t${ENTRY}1.Id=a${ENTRY}1.Message=m${ATTRIBUTE}Name=n${ATTRIBUTE}Value.DataType=String`,
  `${ENTRY}2.Id=b${ENTRY}2.Message=n`,
)
const JSONS = [
  text('{"QueueUrl":"u","MessageBody":"b","DelaySeconds":3,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"eA=="}}}'),
  text('{"TrailName":"t","AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"f","Equals":["a"]}]}],"StartTime":1767323045.6}'),
]
const MESSAGES = [
  text('{"QueueUrl":"u","Entries":[{"Id":"a","MessageBody":"b","MessageGroupId":"g","MessageDeduplicationId":"d"}]}'),
  text('{"QueueUrl":"u","Entries":[{"Id":"a","ReceiptHandle":"AAAA","VisibilityTimeout":3}]}'),
  text('{"QueueUrl":"u","ReceiptHandle":"AAAA","VisibilityTimeout":0}'),
  text('{"QueueUrl":"u","MaxNumberOfMessages":10,"WaitTimeSeconds":20,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]}'),
]
const XMLS = [
  text('<?xml version="1.0"?><Delete xmlns="x"><Object><Key>a &amp; b</Key></Object><!-- c --><Quiet>true</Quiet></Delete>'),
  text('<CreateBucketConfiguration><LocationConstraint><![CDATA[<eu>]]></LocationConstraint></CreateBucketConfiguration>'),
  text(
    '<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="u" xsi:type="Group"><URI>u</URI></Grantee></Grant>',
    '</AccessControlList></AccessControlPolicy>',
  ),
]
const CHUNKS = [
  text('5\r\nhello\r\n3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'),
  text('a;chunk-signature=00\r\n0123456789\r\n0\r\n\r\n'),
]
const SCOPE = '/20260102/eu-west-1/sns/aws4_request, SignedHeaders=host;x-amz-date, Signature='
const PRESIGNED = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260102%2Fr%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z'
const REQUESTS = [
  text(
    `POST /\nhost: h\nx-amz-date: 20260102T030405Z\nauthorization: AWS4-HMAC-SHA256 Credential=A${SCOPE}${'0'.repeat(64)}\n\n`,
    String(FORMS[0]),
  ),
  text(
    `GET /bucket/key%20a?${PRESIGNED}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`,
    '\nhost: b.localhost\n\n',
  ),
  text('POST /\nhost: h\nx-amz-target: AmazonSQS.SendMessage\ncontent-type: application/x-amz-json-1.0\n\n', String(JSONS[0])),
  text(
    'PUT /b/k?partNumber=1&uploadId=u\nhost: h\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n',
    'x-amz-decoded-content-length: 8\nx-amz-trailer: x-amz-checksum-crc32\n\n',
    String(CHUNKS[0]),
  ),
  text('POST /b?delete\nhost: s3.localhost\nx-amz-meta-a: b\n\n', String(XMLS[0])),
]

export function createTargets(models: FuzzModels): FuzzTarget[] {
  const all = (...services: readonly ServiceModel[]): OperationShape[] =>
    services.flatMap((model) => Object.values(model.operations).flatMap((operation) => operation ?? []))
  const queryOperations = all(models.sns, models.sqs, models.sts)
  const jsonOperations = all(models.sqs, models.cloudtrail)
  const restOperations = all(models.s3)
  const fast = [
    ['Publish', decodePublish],
    ['PublishBatch', decodePublishBatch],
  ] as const
  return [
    { name: 'awsQuery', seeds: FORMS, run: (input) => decodeQuery(pick(queryOperations, input), parseForm(input)) },
    { name: 'awsJson', seeds: JSONS, run: (input) => decodeJson(pick(jsonOperations, input), input) },
    {
      name: 'restXml',
      seeds: XMLS,
      run: (input) =>
        decodeRest(pick(restOperations, input), { labels: {}, query: EMPTY_FORM, headers: { 'x-amz-meta-a': 'b' }, body: input }),
    },
    ...fast.map(([name, decode]): FuzzTarget => ({
      name,
      seeds: [...FORMS, BATCH],
      run: (input) => agree(decode(input), models.sns.operations[name], input),
    })),
    ...[...SQS_CODECS.values()].map(({ name, decode }): FuzzTarget => ({
      name: `SQS ${name}`,
      seeds: [...JSONS, ...MESSAGES],
      run: (input) => agree(decode(input), models.sqs.operations[name], input, decodeJson),
    })),
    { name: 'aws-chunked', seeds: CHUNKS, run: unpack },
    { name: 'door', seeds: REQUESTS, run: doorTarget(models) },
  ]
}

/** Decodes escapes as a browser would, and forgets that they may be broken. */
export const CANARY: FuzzTarget = {
  name: 'canary',
  seeds: FORMS,
  run: (input) =>
    input
      .toString('latin1')
      .split('&')
      .map((pair) => pair.split('=').map(decodeURIComponent)),
}

function pick(operations: readonly OperationShape[], input: Buffer): OperationShape {
  const sum = input.subarray(0, 64).reduce((total, byte) => total + byte, input.length)
  return operations[sum % operations.length] as OperationShape
}

function agree(
  fast: unknown,
  operation: OperationShape | undefined,
  input: Buffer,
  decode: (operation: OperationShape, input: Buffer) => unknown = (shape, bytes) => decodeQuery(shape, parseForm(bytes)),
): void {
  if (fast === undefined || operation === undefined) return
  if (!isDeepStrictEqual(fast, decode(operation, input))) throw new AssertionError('the fast codec disagrees with the schema codec')
}

async function unpack(input: Buffer): Promise<void> {
  const half = input.length >> 1
  let bytes = 0
  for await (const chunk of decodeChunked(
    (async function* () {
      yield input.subarray(0, half)
      yield input.subarray(half)
    })(),
    { signing: undefined, hasTrailers: true },
  )) {
    bytes += chunk.length
  }
  if (bytes > input.length) throw new AssertionError('more came out than went in')
}

const DOOR_TIME = Date.UTC(2026, 0, 2, 3, 4, 5)

function doorTarget(models: FuzzModels): FuzzTarget['run'] {
  const door = createDoor({
    services: Object.fromEntries(Object.entries(models).map(([name, model]: [string, ServiceModel]) => [name, { model: () => model }])),
    async invoke(call) {
      const problem = call.decodeError ?? call.signature?.verify('secret', DOOR_TIME)
      if (problem !== undefined) return { error: problem }
      for await (const _ of call.stream ?? []) continue
      return { output: {} }
    },
    internal: () => ({ status: 404, headers: {}, body: '' }),
    clock: { now: () => DOOR_TIME, monotonic: () => 0, after: () => ({ cancel: () => {} }) },
    random: seededRandom(1),
    log: silentLog,
    fallbackRegion: 'us-east-1',
  })
  return async (input) => {
    const request = readRequest(input)
    const isStream = door.admit(request) === 'stream'
    const { body } = request
    const answer = await door.handler(
      isStream
        ? {
            ...request,
            body: undefined,
            stream: (async function* () {
              if (body !== undefined) yield body
            })(),
          }
        : request,
    )
    if (!(answer.status >= 200 && answer.status <= 599)) throw new AssertionError(`an answer with status ${answer.status}`)
    for (const value of Object.values(answer.headers))
      if (/[\r\n\0]/.test(String(value))) throw new AssertionError('a header with a line break')
  }
}

/** `METHOD /path?query`, lines of headers, an empty line, the body. */
function readRequest(input: Buffer): HttpRequest {
  const end = input.indexOf('\n\n')
  const [first = '', ...lines] = input.toString('latin1', 0, end === -1 ? input.length : end).split('\n')
  const [method = 'GET', url = '/'] = first.split(' ')
  const [path = '/', ...query] = url.split('?')
  const headers = lines.map((line): [string, string] => [
    line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  return {
    method,
    path,
    query: query.join('?'),
    headers: Object.fromEntries(headers),
    remoteAddress: '127.0.0.1',
    tls: undefined,
    arrivedAt: DOOR_TIME,
    body: end === -1 ? Buffer.alloc(0) : input.subarray(end + 2),
    stream: undefined,
  }
}

const TOKENS = [
  ...['', '\0', '%', '%00', '%ff', '%C3%28', '+', '&', '=', '.', '.1', '.0', '.member.1', '.entry.1.Name', '.99999999999'],
  ...['__proto__', 'constructor', '{', '}', '[', ']', '"', '\\', '\\ud800', 'null', '1e999', '-1', '<', '>', '</', '/>', '<!--', ']]>'],
  ...['<!DOCTYPE a>', '&amp;', '&#0;', '&x;', '\r\n', '\n', '0\r\n', 'ffffffffff\r\n', ';', ':', '/', '//', '..', '?', ',', 'x-amz-'],
  ...['Signature=', '\xff', '\xc3\xa9', '\xed\xa0\x80'],
].map((token) => Buffer.from(token, 'latin1'))

function mutate(seeds: readonly Buffer[], random: Random): Buffer {
  const seed = () => seeds[random.below(seeds.length)] as Buffer
  let bytes = random.below(20) === 0 ? random.bytes(random.below(300)) : seed()
  for (let edits = 1 + random.below(6); edits > 0; edits--) {
    const at = random.below(bytes.length + 1)
    const to = Math.min(bytes.length, at + random.below(random.below(4) === 0 ? 60 : 4))
    const other = seed()
    const cut = random.below(other.length + 1)
    const inserts: readonly (() => Buffer)[] = [
      () => TOKENS[random.below(TOKENS.length)] as Buffer,
      () => random.bytes(1 + random.below(4)),
      () => other.subarray(cut, cut + random.below(80)),
      () => bytes.subarray(at, to),
      () => repeat(TOKENS[random.below(TOKENS.length)] as Buffer, random.below(random.below(50) === 0 ? 20_000 : 40)),
    ]
    const insert = inserts[random.below(inserts.length)] as () => Buffer
    bytes = Buffer.concat([bytes.subarray(0, at), insert(), bytes.subarray(random.below(2) === 0 ? at : to)])
  }
  return bytes
}

function repeat(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes))
}

// needs: tenzir
// Tenzir, an open pipeline engine for security events, as a consumer of a trail: one program that waits at a queue for the notices of the
// trail's topic, fetches the files they name from S3, and takes the events out of them. It is given its pipeline and where the server is.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { untilTrue } from '../until.ts'
import { startProgram } from './shell.ts'
import { clientsOf, type EventRecord, makeTopicTrail, recordsOfKeys } from './topic-trail.ts'

const TOPICS = 12
const PIPELINE = `
from_amazon_sqs "files", poll_time=1s, batch_size=10
notice = message.parse_json()
where notice.Message != "CloudTrail validation message."
this = notice.Message.parse_json()
unroll s3ObjectKey
select url=f"s3://{s3Bucket}/{s3ObjectKey}"
each {
  from_s3 $this.url {
    decompress_gzip
    read_json
  }
  unroll Records
  this = Records
}
write_ndjson
`

const { server, folder } = await startFileServer({ words: ['--set', 'trail.deliveryIntervalSeconds=1'] })
const clients = clientsOf(server.url)

test('Tenzir, told by the topic through its queue, brings every event of the trail once', async () => {
  const QueueUrl = await makeTopicTrail(clients)
  writeFileSync(join(folder, 'trail.tql'), PIPELINE)
  const where = { folder, environment: awsEnvironment(server.url) }
  const tenzir = startProgram('tenzir', ['--bare-mode', '-f', 'trail.tql'], where)
  const brought = (): readonly EventRecord[] => {
    const lines = tenzir.output().split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as EventRecord)
  }
  try {
    const made: string[] = []
    for (let number = 0; number < TOPICS; number++) {
      const { $metadata } = await clients.sns.createTopic({ Name: `topic-${number}` })
      made.push($metadata.requestId ?? '')
    }
    await untilTrue(`every call: ${tenzir.notes()}`, () => made.every((id) => brought().some(({ requestID }) => requestID === id)))
    // Behind the file that tells of it no other one comes.
    await clients.cloudtrail.stopLogging({ Name: 'all' })
    await untilTrue('the last file', () => brought().some(({ eventName }) => eventName === 'StopLogging'))
  } finally {
    await tenzir.end()
  }

  const { Contents: listed = [] } = await clients.s3.listObjectsV2({ Bucket: 'logs' })
  const keys = listed.map(({ Key = '' }) => Key).filter((key) => key.endsWith('.json.gz') && !key.includes('CloudTrail-Digest'))
  const written = await recordsOfKeys(clients, 'logs', keys)
  const byId = (records: readonly EventRecord[]) => records.map(({ eventID, eventName }) => `${eventID} ${eventName}`).toSorted()
  assert.deepEqual(byId(brought()), byId(written))

  const { Attributes: left } = await clients.sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })
  assert.equal(left?.['ApproximateNumberOfMessages'], '0', 'Tenzir deleted every notice')
  assert.equal(left['ApproximateNumberOfMessagesNotVisible'], '0')
})

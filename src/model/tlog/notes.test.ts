import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { EventClass } from '../entry.ts'
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts'
import { eventLeaf, parseLeaf } from './event-leaf.ts'
import { EMPTY_ROOT, sha256 } from './merkle.ts'
import { commitsTo, formatGrowthProof, formatInclusionProof, parseProof } from './proof.ts'
import { formatVerifierKey, noteSigner, parseNote, parseVerifierKey, signersOf } from './signed-note.ts'

const pem = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const signer = noteSigner('sealcast/test', pem())
const key = parseVerifierKey(formatVerifierKey(signer))
const head = { size: 7, root: sha256(Buffer.from('root')) }

describe('signed note', () => {
  it('of the world is read: the example of golang.org/x/mod/sumdb/note', () => {
    const known = parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    const line = '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
    assert.ok(known !== undefined)
    const note = parseNote(Buffer.from(`${text}\n${line}`))
    assert.deepEqual(note === undefined ? undefined : signersOf(note, [known])?.length, 1)
  })

  it('is a checkpoint that only its own key signs', () => {
    assert.ok(key !== undefined)
    const note = Buffer.from(signCheckpoint(head, ['census calls=1'], signer))
    const opened = openCheckpoint(note, [key])
    assert.ok('checkpoint' in opened)
    assert.deepEqual(opened.checkpoint, { origin: 'sealcast/test', ...head, extensions: ['census calls=1'] })
    assert.equal(opened.signers.length, 1)
    const stranger = openCheckpoint(note, [])
    assert.ok('signers' in stranger && stranger.signers.length === 0)
    const changed = Buffer.from(note.toString().replace('\n7\n', '\n8\n'))
    assert.match(JSON.stringify(openCheckpoint(changed, [key])), /was changed/)
    const last = formatVerifierKey(signer).endsWith('A') ? 'B' : 'A'
    assert.equal(parseVerifierKey(formatVerifierKey(signer).replace(/.$/, last)), undefined)
  })

  it('is read or refused, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void openCheckpoint(Buffer.from(bytes), key === undefined ? [] : [key])))
    fc.assert(fc.property(fc.string(), (text) => void parseVerifierKey(text)))
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseCheckpoint(`${text}\n`)
        if (read !== undefined) assert.equal(formatCheckpoint(read), `${text}\n`)
      }),
    )
    const note = signCheckpoint(head, [], signer)
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const bytes = Buffer.from(`${note.slice(0, at)}${String.fromCharCode(code)}${note.slice(at + 1)}`)
        const opened = openCheckpoint(bytes, key === undefined ? [] : [key])
        if ('checkpoint' in opened && opened.signers.length > 0) assert.deepEqual(bytes.toString(), note)
      }),
    )
  })
})

const EVENT = {
  eventTime: '2026-01-02T03:04:05Z',
  awsRegion: 'eu-west-1',
  requestParameters: { note: '"eventID":"no"', list: [{ text: 'a\\"b' }] },
  eventID: '6fdc57bf-248f-46e2-80da-7954820a27a3',
  recipientAccountId: '000000000001',
  eventCategory: 'Data',
}

describe('leaf of an event', () => {
  it('commits to the bytes and names what a verifier has to know', () => {
    const json = Buffer.from(JSON.stringify(EVENT))
    const leaf = Buffer.from(eventLeaf(EventClass.aws, json))
    assert.equal(
      leaf.toString(),
      `sealcast/1 aws data 000000000001 eu-west-1 2026-01-02T03:04:05Z ${EVENT.eventID} ${sha256(json).toString('hex')}`,
    )
    assert.ok(commitsTo(leaf, json) && !commitsTo(leaf, Buffer.from(' ')))
  })

  it('takes its words from the top level, in any order of keys', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(EVENT), { minLength: 6 }), value, (entries, more) => {
        const nested = { more, eventID: 'inner', eventTime: 'inner', eventCategory: 'inner', awsRegion: [EVENT] }
        const json = Buffer.from(JSON.stringify({ first: nested, ...Object.fromEntries(entries), last: [nested] }))
        const leaf = parseLeaf(Buffer.from(eventLeaf(EventClass.own, json)))
        assert.equal(leaf?.eventId, EVENT.eventID)
        assert.deepEqual([leaf.time, leaf.region, leaf.category, leaf.class], [EVENT.eventTime, EVENT.awsRegion, 'data', 'own'])
      }),
    )
  })

  it('is one line of bounded length, whatever the bytes', () => {
    const odd = fc.record({
      eventID: fc.string({ unit: 'binary' }),
      eventTime: fc.string({ minLength: 100 }),
      eventCategory: fc.constant(''),
    })
    const bytes = fc.oneof(
      fc.uint8Array().map((array) => Buffer.from(array)),
      odd.map((event) => Buffer.from(JSON.stringify(event))),
    )
    fc.assert(
      fc.property(bytes, (json) => {
        const leaf = Buffer.from(eventLeaf(EventClass.channel, json))
        assert.ok(leaf.length <= 512 && !leaf.includes(0x0a))
        assert.equal(parseLeaf(leaf)?.hash, sha256(json).toString('hex'))
      }),
    )
    fc.assert(fc.property(fc.uint8Array(), (array) => void parseLeaf(Buffer.from(array))))
  })
})

describe('proof', () => {
  const json = Buffer.from(JSON.stringify(EVENT))
  const leaf = Buffer.from(eventLeaf(EventClass.aws, json))
  const note = Buffer.from(signCheckpoint(head, [], signer))

  it('gives back what it was made of', () => {
    const proof = { index: 5, hashes: [EMPTY_ROOT, head.root], leaf, event: json, checkpoint: note }
    assert.deepEqual(parseProof(formatInclusionProof(proof)), { kind: 'inclusion', ...proof })
    const bare = { index: 0, hashes: [], leaf, checkpoint: note }
    assert.deepEqual(parseProof(formatInclusionProof(bare)), { kind: 'inclusion', ...bare })
    const growth = { hashes: [EMPTY_ROOT], older: note, newer: note }
    assert.deepEqual(parseProof(formatGrowthProof(growth)), { kind: 'growth', ...growth })
  })

  it('is read or refused, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (array) => void parseProof(Buffer.from(array))))
    const whole = formatInclusionProof({ index: 5, hashes: [EMPTY_ROOT], leaf, event: json, checkpoint: note })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 4 }), (at, more) => {
        void parseProof(Buffer.concat([whole.subarray(0, at), more, whole.subarray(at + more.length)]))
      }),
    )
  })
})

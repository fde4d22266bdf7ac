import assert from 'node:assert/strict'
import test from 'node:test'
import { md5OfAttributes, md5OfText } from './md5.ts'

test('the checksum of a body is the MD5 of its UTF-8', () => {
  assert.equal(md5OfText('test'), '098f6bcd4621d373cade4e832627b4f6')
  assert.equal(md5OfText('é'), md5OfText('é'))
  assert.notEqual(md5OfText('é'), md5OfText('é'.normalize('NFD')))
})

test('the checksum of attributes is the one that AWS returned', () => {
  const number = (value: string) => ({ type: 'Number', value })
  assert.equal(md5OfAttributes({ attr1: number('99.12') }), 'd302007e9aa062660afc85fd0a482472')
  assert.equal(md5OfAttributes({ attr1: number('19.12') }), '1f07082409022a373fa2a2601f82b3cb')
  assert.equal(md5OfAttributes({ attr2: number('109.12'), attr1: number('99.12') }), '9b720b3af309c1c4b0d395c53b08c502')
})

test('a binary attribute counts as its bytes', () => {
  const bytes = Buffer.from('traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01')
  assert.equal(md5OfAttributes({ attr1: { type: 'Binary', value: bytes.toString('base64') } }), '8cbe4db156db8a94db8b801b7addb984')
})

test('strings count with their type, and no attributes have no checksum', () => {
  const text = (value: string) => ({ type: 'String', value })
  assert.equal(md5OfAttributes({ Hello: text('There'), General: text('Kenobi') }), 'fca026605781cb4126a1e9044df24232')
  assert.equal(md5OfAttributes({ Hello: text('There') }), 'a311262e065454b75da111d535b8dacd')
  assert.equal(md5OfAttributes({}), undefined)
})

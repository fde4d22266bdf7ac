import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidNetwork, createNetworks } from './networks.ts'

test('public addresses pass, inside ones do not, in whatever spelling', () => {
  const networks = createNetworks([])
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '100.128.0.1',
  ])
    assert.equal(networks.refusal(address), undefined, address)
  for (const address of [
    '127.0.0.1',
    '127.255.0.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    'fe80::1%eth0',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '::127.0.0.1',
    '2002:7f00:1::',
    '2001:db8::1',
    'fec0::1',
  ])
    assert.ok(networks.refusal(address) !== undefined, address)
})

test('a refusal names the address and the line that permits it, and that line does', () => {
  for (const [address, shown] of [
    ['127.0.0.1', '127.0.0.1'],
    ['10.9.9.9', '10.9.9.9'],
    ['fd00::9', 'fd00::9'],
    ['::1', '::1'],
    ['169.254.169.254', '169.254.169.254'],
    ['fd00:ec2::254', 'fd00:ec2::254'],
  ] as const) {
    const refusal = createNetworks([]).refusal(address) ?? ''
    assert.ok(refusal.includes(shown))
    const line = /outbound\.allow: (\[.*?\])/.exec(refusal)?.[1] ?? ''
    assert.equal(createNetworks(JSON.parse(line) as string[]).refusal(address), undefined, refusal)
  }
  assert.match(createNetworks([]).refusal('127.0.0.1') ?? '', /outbound\.allow: \["127\.0\.0\.0\/8"\]/)
})

test('metadata services need to be named exactly', () => {
  assert.ok(createNetworks(['169.254.0.0/16', '0.0.0.0/0']).refusal('169.254.169.254') !== undefined)
  assert.ok(createNetworks(['169.254.0.0/16']).refusal('::ffff:169.254.169.254') !== undefined)
  assert.equal(createNetworks(['169.254.0.0/16']).refusal('169.254.1.1'), undefined)
  assert.ok(createNetworks(['fc00::/7']).refusal('fd00:ec2:0::254') !== undefined)
  assert.equal(createNetworks(['fd00:ec2:0:0::254/128']).refusal('fd00:ec2::254'), undefined)
})

test('an allowed network holds for the mapped spelling too', () => {
  assert.equal(createNetworks(['127.0.0.0/8']).refusal('::ffff:127.0.0.1'), undefined)
})

test('what is no CIDR is refused by name', () => {
  for (const text of ['10.0.0.0', '10.0.0.0/33', 'localhost/8', '10.0.0.0/8/8', 'fe80::1%eth0/64', '::/129', '', '1.2.3.4/'])
    assert.throws(
      () => createNetworks([text]),
      (failure) => failure instanceof InvalidNetwork && failure.message.includes(`"${text}"`),
      text,
    )
})

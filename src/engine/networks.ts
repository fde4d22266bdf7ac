// Which addresses the server may connect to. Everything public by default; what is inside (loopback, private and other special networks,
// IANA registries) only where a line of the configuration allows it; services that hand out credentials only when named exactly.
import { BlockList, isIP, isIPv4 } from 'node:net'

export interface Networks {
  /** Undefined when `address` (an IP address) may be connected to, else why not, with the line that would permit it. */
  refusal(address: string): string | undefined
}

/** Throws InvalidNetwork, naming the entry, when one is no CIDR. */
export function createNetworks(allow: readonly string[]): Networks {
  const allowed = new BlockList()
  const named = new Set<string>()
  for (const text of allow) {
    const { network, prefix, family } = parseCidr(text)
    allowed.addSubnet(network, prefix, family)
    if (prefix === (family === 'ipv4' ? 32 : 128)) named.add(canonical(network))
  }
  return {
    refusal(address) {
      const target = embeddedIpv4(address) ?? canonical(address)
      const family = isIPv4(target) ? 'ipv4' : 'ipv6'
      const shown = target === canonical(address) ? address : `${address} (${target})`
      if (METADATA.has(target))
        return named.has(target)
          ? undefined
          : `${shown} hands out credentials of this machine; only outbound.allow: ["${target}/${family === 'ipv4' ? 32 : 128}"] permits it`
      for (const { label, cidr, list } of INSIDE) {
        if (!list.check(target, family)) continue
        return allowed.check(target, family) ? undefined : `${shown} is a ${label} address; outbound.allow: ["${cidr}"] permits it`
      }
      return undefined
    },
  }
}

export class InvalidNetwork extends Error {
  override name = 'InvalidNetwork'
}

const METADATA = new Set(
  [
    '169.254.169.254', // EC2, Azure, Google, most others
    '169.254.170.2', // ECS tasks
    '169.254.170.23', // EKS pod identity
    '168.63.129.16', // Azure host agent
    '100.100.100.200', // Alibaba
    '192.0.0.192', // Oracle
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254', // Google
  ].map(canonical),
)

const INSIDE = (
  [
    ['loopback', '127.0.0.0/8'],
    ['private', '10.0.0.0/8'],
    ['private', '172.16.0.0/12'],
    ['private', '192.168.0.0/16'],
    ['link-local', '169.254.0.0/16'],
    ['carrier-grade NAT', '100.64.0.0/10'],
    ['unspecified', '0.0.0.0/8'],
    ['reserved', '192.0.0.0/24'],
    ['documentation', '192.0.2.0/24'],
    ['documentation', '198.51.100.0/24'],
    ['documentation', '203.0.113.0/24'],
    ['benchmarking', '198.18.0.0/15'],
    ['multicast', '224.0.0.0/4'],
    ['reserved', '240.0.0.0/4'],
    ['loopback', '::1/128'],
    ['unspecified', '::/128'],
    ['reserved', '::/96'],
    ['unique local', 'fc00::/7'],
    ['link-local', 'fe80::/10'],
    ['site-local', 'fec0::/10'],
    ['multicast', 'ff00::/8'],
    ['documentation', '2001:db8::/32'],
    ['documentation', '3fff::/20'],
    ['discard', '100::/64'],
    ['translated', '64:ff9b:1::/48'],
    ['tunnel', '2001::/32'],
    ['tunnel', '2002::/16'],
  ] as const
).map(([label, cidr]) => {
  const [network = '', prefix] = cidr.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4')
  return { label, cidr, list }
})

function parseCidr(text: string): { network: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [network = '', digits = '', ...rest] = text.split('/')
  const family = isIPv4(network) ? 'ipv4' : 'ipv6'
  const prefix = Number(digits)
  const isValid =
    isIP(network) !== 0 &&
    !network.includes('%') &&
    /^\d{1,3}$/.test(digits) &&
    rest.length === 0 &&
    prefix <= (family === 'ipv4' ? 32 : 128)
  if (!isValid) throw new InvalidNetwork(`outbound.allow: "${text}" is no network in CIDR form, such as "10.0.0.0/8" or "fd00::/8"`)
  return { network, prefix, family }
}

/** An IPv4 address in an IPv6 form, mapped (::ffff:0:0/96) or behind the NAT64 prefix (64:ff9b::/96): the IPv4 rules hold for it. */
function embeddedIpv4(address: string): string | undefined {
  if (isIPv4(address)) return undefined
  const words = canonical(address).match(/^(?:::ffff:|64:ff9b::)(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/)
  if (words === null) return canonical(address) === '64:ff9b::' ? '0.0.0.0' : undefined
  const [high, low] = [parseInt(words[1] ?? '0', 16), parseInt(words[2] ?? '0', 16)]
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/** One spelling per address; a zone index goes. */
function canonical(address: string): string {
  const [bare = ''] = address.split('%')
  if (isIPv4(bare)) return bare
  return new URL(`http://[${bare}]/`).hostname.slice(1, -1)
}

import { rmSync, readFileSync } from 'node:fs'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { openHouse } from '../src/house.ts'
import { readSettings } from '../src/model/config.ts'
import { settings } from '../src/settings.ts'
import { openDataDirectory } from '../src/storage/disk/data-directory.ts'
import { createDoor } from '../src/wire/door.ts'
import { signatureErrors } from '../src/wire/signature-errors.ts'
import { publishBody, writeRequests } from './publish/requests.ts'
import { rootPrincipal } from '../src/model/principal.ts'
const KEY = { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all', region: 'us-east-1', host: 'h:1' }
const mode = process.argv[2] ?? 'door', conc = Number(process.argv[3] ?? 32), N = Number(process.argv[4] ?? 40000)
rmSync('/tmp/inproc', { recursive: true, force: true })
const random = systemRandom(), clock = systemClock
const read = readSettings(settings, []); const config = (read as any).values
const house = await openHouse({ config, clock, random, log: silentLog, data: openDataDirectory('/tmp/inproc', random), version: 'x', account: '000000000000', rootKey: KEY, baseUrl: () => 'http://h:1', allow: [], signatureErrors })
const door = createDoor({ services: house.services, invoke: (c: any) => house.invoke(c), internal: () => ({ status: 404, headers: {}, body: '' }), clock, random, log: silentLog, fallbackRegion: 'us-east-1' })
const base = { service: 'sns', region: 'us-east-1', requestId: random.uuid(), arrivedAt: clock.now(), sourceIp: '127.0.0.1', userAgent: 'x', host: 'h', principal: rootPrincipal('000000000000', 'AKIA') }
const r = await house.invoke({ ...base, operation: 'CreateTopic', input: { Name: 't' } }); const t = (r as any).output.TopicArn
writeRequests('/tmp/inproc/req', 500, KEY, (i) => publishBody(t, `${i} ${'x'.repeat(1024)}`.slice(0, 1024)))
const bytes = readFileSync('/tmp/inproc/req'); const reqs: any[] = []
for (let at = 0; at < bytes.length;) { const l = bytes.readUInt32LE(at); const q = bytes.subarray(at + 4, at + 4 + l); at += 4 + l
  const e = q.indexOf('\r\n\r\n'); const headers: any = {}; for (const line of q.toString('latin1', 0, e).split('\r\n').slice(1)) { const c = line.indexOf(': '); headers[line.slice(0, c).toLowerCase()] = line.slice(c + 2) }
  reqs.push({ method: 'POST', path: '/', query: '', headers, remoteAddress: '127.0.0.1', tls: undefined, body: Buffer.from(q.subarray(e + 4)), stream: undefined }) }
async function go(n: number) { let i = 0; await Promise.all(Array.from({ length: conc }, async () => { while (i < n) { const q = { ...reqs[i++ % reqs.length], arrivedAt: clock.now() }
  if (mode === 'door') { const a = await door.handler(q); if (a.status !== 200) throw new Error(String(a.body)) }
  else if (mode === 'invoke') { await house.invoke({ ...base, arrivedAt: q.arrivedAt, requestId: random.uuid(), operation: 'Publish', input: { TopicArn: t, Message: 'x'.repeat(1020) + (i % 10) } }) } } })) }
import { readdirSync } from 'node:fs'
const tasks = () => Object.fromEntries(readdirSync('/proc/self/task').map(id => { const x = readFileSync('/proc/self/task/' + id + '/stat', 'utf8'); const f = x.slice(x.lastIndexOf(')') + 2).split(' '); return [id + ' ' + x.slice(x.indexOf('(') + 1, x.lastIndexOf(')')), [Number(f[11]), Number(f[12])]] }))
await go(8000); const before = tasks(); const c = process.cpuUsage(); const m = performance.now(); await go(N); const d = process.cpuUsage(c)
const { readdirSync: rd } = await import('node:fs'); const after = tasks(); for (const [k, v] of Object.entries(after)) { const o = (before as any)[k] ?? [0, 0]; const u = ((v as any)[0] - o[0]) * 1e4 / N, y = ((v as any)[1] - o[1]) * 1e4 / N; if (u + y > 0.6) console.log(k.padEnd(28), 'user', u.toFixed(1), 'sys', y.toFixed(1)) }
console.log(mode, conc, 'process cpu us/req', ((d.user + d.system) / N).toFixed(1), 'user', (d.user / N).toFixed(1), 'wall', (((performance.now() - m) * 1000) / N).toFixed(1))
await house.stop(); process.exit(0)

import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { startScript } from './publish/processes.ts'
import { batchBody, publishBody, writeRequests } from './publish/requests.ts'
const KEY = { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all', region: 'us-east-1' }
const inFlight = Number(process.argv[2] ?? 32), n = Number(process.argv[3] ?? 20000)
rmSync('/tmp/thr', { recursive: true, force: true })
const s = await startScript('bench/publish/our-server.ts', ['/tmp/thr/data'], { SEALCAST_ROOT_ACCESS_KEY_ID: KEY.accessKeyId, SEALCAST_ROOT_SECRET_ACCESS_KEY: KEY.secretAccessKey })
const url = String(s.first['url']); const pid = s.child.pid
await new Promise(r => setTimeout(r, 1000))
const { SNS } = await import('/work/main/node_modules/@aws-sdk/client-sns/dist-cjs/index.js').then(m => m.default ?? m)
const sns = new SNS({ endpoint: url, region: 'us-east-1', credentials: KEY }); const t = (await sns.createTopic({ Name: 'bench' })).TopicArn; sns.destroy()
writeRequests('/tmp/thr/req', 2000, { ...KEY, host: new URL(url).host }, (i) => publishBody(t, `${i} ${'x'.repeat(1024)}`.slice(0, 1024)))
const tasks = () => Object.fromEntries(readdirSync(`/proc/${pid}/task`).map(id => { const x = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8'); const f = x.slice(x.lastIndexOf(')') + 2).split(' '); return [id + ' ' + x.slice(x.indexOf('(') + 1, x.lastIndexOf(')')), [Number(f[11]), Number(f[12])]] }))
const child = spawn(process.execPath, ['bench/publish/load.ts'], { stdio: ['pipe', 'pipe', 'inherit'] })
child.stdin.end(JSON.stringify({ port: Number(new URL(url).port), inFlight, requestsFile: '/tmp/thr/req', warmUp: 4000, requests: n }))
let out = ''; child.stdout.on('data', c => out += c)
while (!out.includes('\n')) await new Promise(r => setTimeout(r, 20))
const a = tasks(); await new Promise(r => child.on('exit', r)); const b = tasks()
for (const [k, v] of Object.entries(b)) { const o = a[k] ?? [0, 0]; const u = (v[0] - o[0]) * 1e4 / n, y = (v[1] - o[1]) * 1e4 / n; if (u + y > 0.5) console.log(k.padEnd(28), 'user', u.toFixed(1), 'sys', y.toFixed(1), 'us/req') }
console.log(out.trim().split('\n')[1]); s.child.kill()

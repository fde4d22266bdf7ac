import { writeFileSync, readFileSync } from 'node:fs'
import { startTestServer, temporaryFolder, runCommand } from './server.ts'
import { sendSigned } from './sign.ts'
const folder = temporaryFolder()
const a = await startTestServer({ data: folder.path })
await sendSigned(a.port, { body: 'Action=CreateTopic&Name=x' })
await a.stop()
console.log((await runCommand(['query', '--data', folder.path, 'SELECT count(*) FROM events'])).output)
try { console.log(readFileSync(folder.path + '/lake/manifest.json', 'utf8')) } catch (e) { console.log('no manifest') }
writeFileSync(folder.path + '/lake/manifest.json', JSON.stringify({ upTo: 0, imports: 0, files: [], format: 2 }))
try {
const server = await startTestServer({ data: folder.path })
console.log((await sendSigned(server.port, { body: 'Action=CreateTopic&Name=x' })).status)
await new Promise((r) => setTimeout(r, 1000))
console.log(await (await fetch(server.url + '/_sealcast/health')).text())
console.log(await runCommand(['query', '--data', folder.path, 'SELECT count(*) FROM events']))
await server.kill()
console.log(server.log(), readFileSync(folder.path + '/lake/manifest.json', 'utf8'))
} catch (e) { console.log(e) }
folder.remove()

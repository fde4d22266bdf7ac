// Our server in its default configuration, on a free port: `our-server.ts DATA-FOLDER`. The first line of output says where it listens.
import { startServer } from '../../src/start.ts'

const [folder = ''] = process.argv.slice(2)
const server = await startServer({
  dev: false,
  configFile: undefined,
  set: [
    { key: 'data.folder', value: folder, from: 'bench' },
    { key: 'server.port', value: '0', from: 'bench' },
  ],
  version: 'bench',
  environment: process.env,
  writeLog: (line) => void process.stderr.write(line.includes('"level":"info"') || !/ (WARN|ERROR) /.test(line) ? '' : line),
})
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`)
process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)))

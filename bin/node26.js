#!/usr/bin/env node
// Runs a script under Node 26: this process if it is new enough, else the Node that npm installed beside us.
// Plain JavaScript for any Node: it is the one file that an older Node has to understand.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { existsSync } from 'node:fs'

const NODE_MAJOR = 26
/** The exit code of a program for which the system lacks a library. */
const NOT_STARTED = 127
const LIBRARY_HINT =
  'Node 26 needs the system library libatomic: apt install libatomic1 on Debian and Ubuntu, dnf install libatomic on Fedora and RHEL.'
const require = createRequire(import.meta.url)

export function runUnderNode26(args) {
  const node = findNode()
  if (node === undefined) {
    process.stderr.write(
      `sealcast needs Node ${NODE_MAJOR} or newer; this is ${process.version} and no packaged Node was found. ` +
        `Install Node ${NODE_MAJOR}, or run npm ci without --omit=optional.\n`,
    )
    process.exit(1)
  }
  // Compiled code is kept beside the packages: without it each start strips and compiles every file anew.
  const cache = join(import.meta.dirname, '..', 'node_modules', '.cache', 'sealcast')
  const env = { NODE_COMPILE_CACHE: cache, ...process.env }
  // In place of this process where that can be: one process less, with its memory.
  if (node === process.execPath && process.platform !== 'win32') process.execve(node, [node, ...args], env)
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (code === NOT_STARTED) process.stderr.write(`${node} does not start here. ${LIBRARY_HINT}\n`)
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  const names =
    process.platform === 'darwin'
      ? [`node-bin-darwin-${process.arch}`, `node-darwin-${process.arch}`]
      : [`node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`]
  for (const name of names) {
    try {
      const folder = dirname(require.resolve(`${name}/package.json`))
      for (const file of ['bin/node', 'bin/node.exe', 'node.exe']) if (existsSync(join(folder, file))) return join(folder, file)
    } catch {
      // Not installed for this platform: try the next name.
    }
  }
  return undefined
}

if (process.argv[1] === import.meta.filename) runUnderNode26(process.argv.slice(2))

// Files on a real disk, by Node's synchronous calls. What we write is for our own user alone: files 0600, folders 0700.
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  read as readInPool,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import type { File, Files } from '../files.ts'

const WINDOWS = process.platform === 'win32'
// Windows has no O_DSYNC, and on macOS only fsync reaches past the drive's cache.
const OPENS_DURABLE = constants.O_DSYNC !== undefined && process.platform !== 'darwin' && !WINDOWS
const FLAGS = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_RDWR,
} as const

export function diskFiles(): Files {
  return {
    elsewhere: { module: import.meta.url, name: 'diskFiles' },
    open: (path, mode, options) => openDiskFile(path, mode, options?.durable === true),
    exists: existsSync,
    list: (folder) => readdirSync(folder).sort(),
    makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
    rename: renameSync,
    remove: unlinkSync,
    syncFolder,
    syncFolderLater,
    free(path) {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    },
  }
}

function openDiskFile(path: string, mode: 'read' | 'create' | 'write', durable: boolean): File {
  const flags = FLAGS[mode] | (durable && OPENS_DURABLE ? constants.O_DSYNC : 0)
  const descriptor = openSync(path, flags, 0o600)
  return {
    read(into, offset, length, position) {
      let done = 0
      while (done < length) {
        const bytes = readSync(descriptor, into, offset + done, length - done, position + done)
        if (bytes === 0) break
        done += bytes
      }
      return done
    },
    readLater: (into, offset, length, position) => readAll(descriptor, into, offset, length, position),
    write(from, offset, length, position) {
      const bytes = writeSync(descriptor, from, offset, length, position)
      if (durable && !OPENS_DURABLE) syncDescriptor(descriptor)
      return bytes
    },
    sync: () => fsyncSync(descriptor),
    syncLater: () => new Promise((resolve, reject) => fsync(descriptor, (error) => (error === null ? resolve() : reject(error)))),
    truncate: (length) => ftruncateSync(descriptor, length),
    size: () => fstatSync(descriptor).size,
    close: () => closeSync(descriptor),
  }
}

function readAll(descriptor: number, into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let done = 0
    const next = (): void =>
      readInPool(descriptor, into, offset + done, length - done, position + done, (error, bytes) => {
        if (error) return reject(error)
        done += bytes
        if (bytes === 0 || done === length) resolve(done)
        else next()
      })
    next()
  })
}

function syncDescriptor(descriptor: number): void {
  if (WINDOWS) fdatasyncSync(descriptor)
  else fsyncSync(descriptor)
}

async function syncFolderLater(path: string): Promise<void> {
  if (WINDOWS) return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function syncFolder(path: string): void {
  // Windows cannot open a folder; its file systems write names in order by themselves.
  if (WINDOWS) return
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

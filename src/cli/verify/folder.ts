// A folder as a place to verify: what `aws s3 sync` left, or any copy. Metadata that the copy lost may stand beside a file as
// NAME.metadata.json: what `aws s3api head-object` prints, or the metadata alone.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { opendir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogReader, Source, SourceFile } from '../../verify/source.ts'

const SIDECAR = '.metadata.json'
const SIDECAR_BYTES_MAX = 64 * 1024
const LOG_FILE_BYTES_MAX = 32 * 1024 * 1024

export function folderSource(folder: string): Source {
  return {
    place: folder,
    prefix: '',
    list: () => walk(folder, ''),
    async read(name, bytesMax) {
      const path = join(folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found === undefined || !found.isFile()) return undefined
      return found.size <= bytesMax ? readFile(path) : (createReadStream(path) as AsyncIterable<Buffer>)
    },
    metadata: async (name) => readSidecar(join(folder, `${name}${SIDECAR}`)),
  }
}

/** A static log in a folder. */
export function folderLog(folder: string): LogReader {
  return async (path) => {
    const file = join(folder, path)
    const found = await stat(file).catch(() => undefined)
    return found === undefined || !found.isFile() || found.size > LOG_FILE_BYTES_MAX ? undefined : readFile(file)
  }
}

/** Names in the order of their bytes, as S3 lists keys: a folder sorts by its name with the slash behind it. */
async function* walk(folder: string, below: string): AsyncGenerator<SourceFile> {
  const entries: { readonly name: string; readonly isFolder: boolean }[] = []
  for await (const entry of await opendir(join(folder, below))) {
    if (entry.isDirectory()) entries.push({ name: `${entry.name}/`, isFolder: true })
    else if (entry.isFile() && !entry.name.endsWith(SIDECAR)) entries.push({ name: entry.name, isFolder: false })
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name, isFolder } of entries) {
    if (isFolder) yield* walk(folder, `${below}${name}`)
    else yield { name: `${below}${name}`, bytes: 0 }
  }
}

function readSidecar(path: string): Readonly<Record<string, string>> | undefined {
  if (!existsSync(path) || statSync(path).size > SIDECAR_BYTES_MAX) return undefined
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const metadata = typeof value === 'object' && value !== null && 'Metadata' in value ? value.Metadata : value
    if (typeof metadata !== 'object' || metadata === null) return undefined
    return Object.fromEntries(
      Object.entries(metadata).map(([name, given]) => [name.toLowerCase().replace(/^x-amz-meta-/, ''), String(given)]),
    )
  } catch {
    return undefined
  }
}

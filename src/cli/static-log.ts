// A static log (C2SP tlog-tiles) that grows in a folder: tiles first, the checkpoint that speaks of them last, so that the folder is a
// whole log at any moment.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseTilePath, TILE_WIDTH } from '../model/tlog/tiles.ts'
import { CommandError } from './command.ts'

const CHECKPOINT = 'checkpoint'
const TILES = 'tile'

export interface StaticLog {
  /** The checkpoint that is there; undefined in a new folder. */
  readonly checkpoint: string | undefined
  /** Paths as tlog-tiles names them. */
  put(path: string, bytes: Buffer): void
}

/** Throws CommandError for a folder that holds other things. */
export function openStaticLog(folder: string): StaticLog {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const checkpoint = names.includes(CHECKPOINT) ? readFileSync(join(folder, CHECKPOINT), 'utf8') : undefined
  // Without a checkpoint it is what an interrupted export left, or a folder of something else.
  if (checkpoint === undefined && names.some((name) => name !== TILES && name !== `${CHECKPOINT}.new`))
    throw new CommandError(`${folder} is not empty and no exported tree; give another folder`)
  /** Folders of narrow tiles whose full ones came. A checkpoint that speaks of the narrow ones may be there until the end. */
  const over: string[] = []
  return {
    checkpoint,
    put(path, bytes) {
      const tile = parseTilePath(path)
      if (tile === undefined && path !== CHECKPOINT) throw new CommandError(`the server told of a file ${path}, which a static log has not`)
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.new`, bytes)
      renameSync(`${file}.new`, file)
      if (tile?.width === TILE_WIDTH && existsSync(`${file}.p`)) over.push(`${file}.p`)
      if (tile === undefined) for (const narrow of over) rmSync(narrow, { recursive: true, force: true })
    },
  }
}

// Checks the import table of docs/ARCHITECTURE.md: lower floors know nothing of higher ones, rooms on one floor nothing of each other.
// Tests may reach anywhere. Sources arrive as text, so that the rules themselves can be tested.
import { posix } from 'node:path'
import { lineOf, maskSource } from './source-mask.ts'

export interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
  readonly line: number
}

/** What `source` at `path` (`src/engine/call.ts`) imports against the table, one line each; empty when nothing is wrong. */
export function checkLayers(path: string, source: string): readonly string[] {
  if (isTest(path) || !/^(src|console)\//.test(path)) return []
  return importsOf(source).flatMap((imported) => {
    const problem = problemOf(path, imported)
    return problem === undefined ? [] : [`${path}:${imported.line} imports ${imported.specifier}: ${problem}`]
  })
}

const FLOORS: Readonly<Record<string, number>> = {
  ...{ base: 0, model: 1, storage: 2, verify: 2, engine: 3 },
  ...{ wire: 4, cli: 4, services: 4, deliverers: 4, followers: 4, exporters: 4, detections: 4, controls: 4 },
  ...{ house: 5, start: 5 },
}
const TOP_FLOOR = 5
/** Files that bring plugs together. */
const REGISTRIES = new Set(['src/main.ts', 'src/house/services.ts', 'src/house/followers.ts', 'src/house/deliverers.ts'])
const PURE = new Set(
  ['assert', 'buffer', 'crypto', 'path', 'querystring', 'string_decoder', 'url', 'util', 'zlib'].map((name) => `node:${name}`),
)
/** Packages, and the one place that may import each at run time. */
const PACKAGE_PLACES: readonly (readonly [name: string, place: string])[] = [
  ['lmdb', 'src/storage/'],
  ['@duckdb/', 'src/storage/'],
  ['nodemailer/', 'src/deliverers/'],
]

function problemOf(path: string, { specifier, isTypeOnly }: Import): string | undefined {
  if (!specifier.startsWith('.')) return packageProblem(path, specifier, isTypeOnly)
  const target = posix.join(posix.dirname(path), specifier)
  if (path.startsWith('console/')) return consoleProblem(target, isTypeOnly)
  if (!target.startsWith('src/')) return target.endsWith('.json') ? undefined : 'what runs lies in src/'
  if (posix.basename(target) === 'index.ts' && !REGISTRIES.has(path))
    return `only the registries import an index.ts: ${[...REGISTRIES].join(', ')}`
  if (orderOf(target) > orderOf(path))
    return 'of what puts the server together, main.ts knows start/, start/ knows house/, and nobody else knows any'
  const [from, to] = [floorOf(path), floorOf(target)]
  if (from === undefined || to === undefined) return 'no floor of the map; put it into a room that the map names'
  if (isVerifierAndOther(path, target)) return 'the verifier shares no code with what it verifies: only model and base'
  if (to > from) return `floor ${from} knows nothing of floor ${to}`
  if (isBackend(target) && from < TOP_FLOOR && backendOf(path) !== backendOf(target) && !isSharedFormat(path, target)) {
    return backendOf(path) === undefined ? 'a backend is handed in by src/house/; import its port' : 'one backend never imports another'
  }
  if (to === 4 && from === 4 && !isSameRoom(path, target)) return 'a sibling room; share through model/ or engine/'
  return undefined
}

function packageProblem(path: string, specifier: string, isTypeOnly: boolean): string | undefined {
  const isPure = /^src\/(base|model)\//.test(path)
  if (specifier.startsWith('node:')) return isPure && !PURE.has(specifier) ? 'base and model touch no files, sockets or clocks' : undefined
  const place = PACKAGE_PLACES.find(([name]) => specifier === name || (name.endsWith('/') && specifier.startsWith(name)))?.[1]
  if (place !== undefined) return path.startsWith(place) ? undefined : `only ${place} may import it`
  return isPure && !isTypeOnly ? 'base and model import no packages at run time' : undefined
}

function consoleProblem(target: string, isTypeOnly: boolean): string | undefined {
  if (target.startsWith('console/')) return undefined
  const isOpen = target.startsWith('src/model/') || target.startsWith('src/services/sealcast/')
  return isOpen && isTypeOnly ? undefined : 'the console takes only types, and only from src/model/ and src/services/sealcast/'
}

/** What puts the server together, from the inside out; 0 for every other file. */
function orderOf(path: string): number {
  return 1 + ['house', 'start', 'main.ts'].indexOf(path.split('/')[1] ?? '')
}

function isTest(path: string): boolean {
  return /\.(test|suite)\.ts$/.test(path)
}

function floorOf(path: string): number | undefined {
  const [, room = '', ...rest] = path.split('/')
  return rest.length === 0 ? TOP_FLOOR : FLOORS[room]
}

function isBackend(path: string): boolean {
  return backendOf(path) !== undefined
}

/** What a verifier shares with what it verifies: the bytes on disk as a backend's format.ts defines them, and nothing else. */
function isSharedFormat(path: string, target: string): boolean {
  return /^src\/storage\/(fsck|backup)\//.test(path) && posix.basename(target) === 'format.ts'
}

/** The verifier reaches nothing but the formats, and nothing below the doors reaches it. */
function isVerifierAndOther(path: string, target: string): boolean {
  const [from, to] = [path.split('/')[1], target.split('/')[1]]
  if (from === 'verify') return to !== 'verify' && to !== 'model' && to !== 'base'
  return to === 'verify' && (from === 'storage' || from === 'engine')
}

/** `memory` for src/storage/memory/journal.ts, undefined for a port and everything else. */
function backendOf(path: string): string | undefined {
  const [, room, backend, file] = path.split('/')
  return room === 'storage' && file !== undefined ? backend : undefined
}

// A service is a room of its own; so is each folder of followers/, deliverers/ and the like, beside files that the whole room shares.
function isSameRoom(path: string, target: string): boolean {
  const [, room, folder, ...rest] = path.split('/')
  const [, targetRoom, targetFolder, ...targetRest] = target.split('/')
  if (room !== targetRoom) return false
  if (room === 'wire' || room === 'cli' || folder === targetFolder) return true
  return room !== 'services' && (rest.length === 0 || targetRest.length === 0)
}

const STATEMENT = /\b(?:import|export)\s+(type\s)?(?:[\w$*\s{},]*?\bfrom\s*)?(['"])([^'"\n]+)\2/g
const CALL = /\bimport\s*\(\s*(['"])([^'"\n]+)\1|\bnew\s+URL\(\s*(['"])(\.[^'"\n]+\.ts)\3/g

export function importsOf(source: string): readonly Import[] {
  const { code, withTexts } = maskSource(source)
  const isCode = ({ index, 0: text }: RegExpExecArray): boolean => code.slice(index, index + 3) === text.slice(0, 3)
  const statements = [...withTexts.matchAll(STATEMENT)].filter(isCode).map((match) => ({
    specifier: match[3] ?? '',
    isTypeOnly: match[1] !== undefined,
    line: lineOf(source, match.index),
  }))
  const calls = [...withTexts.matchAll(CALL)].filter(isCode).map((match) => ({
    specifier: match[2] ?? match[4] ?? '',
    isTypeOnly: false,
    line: lineOf(source, match.index),
  }))
  return [...statements, ...calls]
}

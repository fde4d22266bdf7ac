// The file of an lmdb environment, read by ourselves. The library believes every page number and offset it finds in it, and one flipped bit
// can end the process without a word; here all of it is checked, and what is sound is read whatever lies beside it. The file MUST NOT be
// written meanwhile. Little endian, 64 bit, one database without duplicates.
//
//   page  = number u64 | transaction u64 | zero u16 | flags u16 | lower u16 | upper u16 (of overflow pages: their count u32) | contents
//   meta  = pages 0 and 1: magic u32 | version u32 | address u64 | map size u64 | tree of free pages, main tree | last page u64
//           | transaction u64
//   tree  = page size u32 | flags u16 | depth u16 | branch, leaf and overflow pages u64 | entries u64 | root u64
//   node  = size u32 and flags u16, or page number u48 | key size u16 | key | value, or where its overflow pages are
import type { File, Files } from './files.ts'

export interface LmdbProblem {
  readonly page: number
  readonly what: string
}

export interface LmdbEntry {
  readonly key: Buffer
  readonly value: Buffer
}

/** The tree of an lmdb file cannot be followed. Names the file and the page. */
export class LmdbFileDamaged extends Error {
  override name = 'LmdbFileDamaged'
}

/** Every entry that can be reached, in order; each problem is told, and what hangs on it left out. The buffers are the caller's. */
export function* readLmdbFile(file: File, onProblem: (problem: LmdbProblem) => void): Generator<LmdbEntry> {
  const tree = openTree(file, onProblem)
  if (tree === undefined) return
  let entries = 0
  let before: Buffer | undefined
  for (const { page, node } of tree.leaves(tree.main)) {
    const value = tree.value(page, node)
    if (value === undefined) continue
    if (before !== undefined && before.compare(node.key) >= 0) onProblem({ page, what: 'its keys are not in order' })
    before = node.key
    entries++
    yield { key: Buffer.from(node.key), value }
  }
  if (entries !== tree.main.entries)
    onProblem({ page: tree.metaPage, what: `it tells of ${tree.main.entries} entries; ${entries} can be reached` })
  checkFreePages(tree, onProblem)
}

/** Looks at the upper part of the tree, as many pages as are given: enough that opening and reading it does not lead astray. */
export function assertLmdbFileSound(files: Files, path: string, pagesMax: number): void {
  if (!files.exists(path)) return
  const file = files.open(path, 'read')
  const refuse = ({ page, what }: LmdbProblem): never => {
    throw new LmdbFileDamaged(
      `${path} is damaged: page ${page}: ${what}. Nothing was changed. Restore a backup, or use \`sealcast fsck --salvage\`.`,
    )
  }
  try {
    const tree = openTree(file, refuse)
    if (tree === undefined) return
    // A file that ends before its last page may have been cut: then every page counts, since reading behind the end ends the process.
    const max = tree.isShort ? Infinity : pagesMax
    for (const head of [tree.free, tree.main]) walkDown(tree, head, max)
  } finally {
    file.close()
  }
}

/** Level by level, so that what everything hangs on is met first. */
function walkDown(tree: Tree, { root, depth }: TreeHead, pagesMax: number): void {
  const next = root === NONE ? [] : [{ number: root, level: 1 }]
  for (let at = 0; at < next.length && at < pagesMax; at++) {
    const { number, level } = next[at] ?? { number: NONE, level: 0 }
    const page = tree.page(number, level === depth ? LEAF : BRANCH)
    for (const node of page?.nodes ?? []) {
      if (level < depth) next.push({ number: node.child, level: level + 1 })
      else if (node.isBig) tree.overflow(number, node)
    }
  }
}

const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const META = 8
const KIND_MASK = 0xff
const BIG_NODE = 1
const MAGIC = 0xbeefc0de
const VERSION = 2
const PAGE_HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
const META_BYTES = 168
const OVERFLOW_REFERENCE_BYTES = 24
const DEPTH_MAX = 32
const MAP_BYTES_MAX = 2 ** 46
/** Keys of the list of free pages are numbers. */
const FREE_TREE_FLAGS = 8
/** As a root: the tree is empty. */
const NONE = Number(0xffff_ffff_ffff_ffffn)

interface TreeHead {
  readonly depth: number
  readonly entries: number
  readonly root: number
}
interface Node {
  readonly key: Buffer
  /** Of a branch. */
  readonly child: number
  readonly isBig: boolean
  readonly bytes: number
  /** What follows the key: a leaf's value, or where it is. */
  readonly held: Buffer
}
interface Page {
  readonly nodes: readonly Node[]
}
interface Meta {
  readonly page: number
  readonly pageBytes: number
  readonly free: TreeHead
  readonly main: TreeHead
  readonly lastPage: number
  readonly transaction: number
}

function openTree(file: File, onProblem: (problem: LmdbProblem) => void): Tree | undefined {
  // What a first start that was cut short leaves is made anew.
  if (file.size() === 0) return undefined
  const meta = chooseMeta(file, onProblem)
  if (meta === undefined || meta.main.root === NONE) return undefined
  return new Tree(file, meta, onProblem)
}

function chooseMeta(file: File, onProblem: (problem: LmdbProblem) => void): Meta | undefined {
  const first = readMeta(file, 0, 0)
  const pageBytes = typeof first === 'string' ? 4096 : first.pageBytes
  const second = readMeta(file, 1, pageBytes)
  for (const [page, meta] of [first, second].entries()) if (typeof meta === 'string') onProblem({ page, what: meta })
  const [a, b] = [first, second].filter((meta) => typeof meta !== 'string')
  if (a === undefined || b === undefined) return a ?? b
  if (a.pageBytes !== b.pageBytes) onProblem({ page: 1, what: `it tells of pages of ${b.pageBytes} bytes, page 0 of ${a.pageBytes}` })
  // Transactions write the two in turn.
  for (const meta of [a, b]) {
    if (meta.transaction !== 0 && meta.transaction % 2 !== meta.page)
      onProblem({ page: meta.page, what: `it has number ${meta.transaction}, of the other page's turn` })
  }
  if (Math.abs(a.transaction - b.transaction) > 1)
    onProblem({ page: a.transaction > b.transaction ? b.page : a.page, what: 'it is older than the one before the newest' })
  return a.transaction >= b.transaction ? a : b
}

function readMeta(file: File, page: number, at: number): Meta | string {
  const bytes = Buffer.alloc(META_BYTES)
  if (file.read(bytes, 0, META_BYTES, at) < META_BYTES) return 'the file ends in its head'
  const meta = bytes.subarray(PAGE_HEADER_BYTES)
  if ((bytes.readUInt16LE(18) & META) === 0 || meta.readUInt32LE(0) !== MAGIC) return 'it is no head of an lmdb file'
  const version = meta.readUInt32LE(4) & 0xffff
  if (version !== VERSION) return `it is of lmdb format ${version}; this release reads format ${VERSION}`
  const pageBytes = meta.readUInt32LE(24)
  if (pageBytes < 256 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return `it tells of pages of ${pageBytes} bytes`
  const free = readTreeHead(meta, 24)
  const main = readTreeHead(meta, 72)
  const mapBytes = number64(meta, 16)
  const lastPage = number64(meta, 120)
  if (mapBytes > MAP_BYTES_MAX || (lastPage + 1) * pageBytes > mapBytes)
    return `it tells of a map of ${mapBytes} bytes for pages up to ${lastPage}`
  if (meta.readUInt16LE(28) !== FREE_TREE_FLAGS || meta.readUInt16LE(76) !== 0 || meta.readUInt32LE(72) !== 0)
    return 'it tells of trees of another kind'
  for (const tree of [free, main]) {
    if (tree.root !== NONE && (tree.depth < 1 || tree.depth > DEPTH_MAX)) return `it tells of a tree of ${tree.depth} levels`
    if (tree.root === NONE && tree.entries !== 0) return `it tells of ${tree.entries} entries in an empty tree`
  }
  return { page, pageBytes, free, main, lastPage, transaction: number64(meta, 128) }
}

function readTreeHead(meta: Buffer, at: number): TreeHead {
  return { depth: meta.readUInt16LE(at + 6), entries: number64(meta, at + 32), root: number64(meta, at + 40) }
}

class Tree {
  readonly metaPage: number
  readonly main: TreeHead
  readonly free: TreeHead
  readonly lastPage: number
  /** Pages of the main and the free tree, met so far. */
  readonly used = new Set<number>()
  readonly #file: File
  readonly #fileBytes: number
  readonly #meta: Meta
  readonly #onProblem: (problem: LmdbProblem) => void

  constructor(file: File, meta: Meta, onProblem: (problem: LmdbProblem) => void) {
    this.#file = file
    this.#fileBytes = file.size()
    this.#meta = meta
    this.#onProblem = onProblem
    this.metaPage = meta.page
    this.main = meta.main
    this.free = meta.free
    this.lastPage = meta.lastPage
  }

  get isShort(): boolean {
    return this.#fileBytes < (this.lastPage + 1) * this.#meta.pageBytes
  }

  *leaves(tree: TreeHead): Generator<{ readonly page: number; readonly node: Node }> {
    if (tree.root === NONE) return
    const next = [{ number: tree.root, level: 1 }]
    for (let step = next.pop(); step !== undefined; step = next.pop()) {
      const { number, level } = step
      const isLeaf = level === tree.depth
      const page = this.page(number, isLeaf ? LEAF : BRANCH)
      if (page === undefined) continue
      if (isLeaf) for (const node of page.nodes) yield { page: number, node }
      else for (const node of page.nodes.toReversed()) next.push({ number: node.child, level: level + 1 })
    }
  }

  page(number: number, kind: number): Page | undefined {
    const { pageBytes, transaction } = this.#meta
    const problem = (what: string): undefined => this.#onProblem({ page: number, what }) as undefined
    if (!this.#claim(number, 1)) return undefined
    const bytes = Buffer.allocUnsafe(pageBytes)
    if (this.#file.read(bytes, 0, pageBytes, number * pageBytes) < pageBytes) return problem('the file ends in it')
    if (number64(bytes, 0) !== number) return problem(`it says that it is page ${number64(bytes, 0)}`)
    if (number64(bytes, 8) > transaction) return problem(`it is of transaction ${number64(bytes, 8)}, the file of ${transaction}`)
    if ((bytes.readUInt16LE(18) & KIND_MASK) !== kind) return problem(`it is not the ${kind === LEAF ? 'leaf' : 'branch'} it should be`)
    const contents = bytes.subarray(PAGE_HEADER_BYTES)
    const lower = bytes.readUInt16LE(20)
    const upper = bytes.readUInt16LE(22)
    if (lower % 2 !== 0 || lower > upper || upper > contents.length || lower === 0) return problem('its entries are not where they can be')
    const nodes: Node[] = []
    for (let at = 0; at < lower; at += 2) {
      const node = readNode(contents, contents.readUInt16LE(at), upper, kind)
      if (node === undefined) problem(`its entry ${at / 2} is not where it can be`)
      else nodes.push(node)
    }
    return { nodes }
  }

  /** The value of a leaf's node, from its overflow pages where it is there. */
  value(page: number, node: Node): Buffer | undefined {
    if (!node.isBig) return Buffer.from(node.held)
    const first = this.overflow(page, node)
    if (first === undefined) return undefined
    const value = Buffer.allocUnsafe(node.bytes)
    const read = this.#file.read(value, 0, value.length, first * this.#meta.pageBytes + PAGE_HEADER_BYTES)
    if (read === value.length) return value
    return this.#onProblem({ page: first, what: 'the file ends in it' }) as undefined
  }

  /** The first of a long value's pages, which carry it as they should. */
  overflow(page: number, { bytes, held }: Node): number | undefined {
    const { pageBytes } = this.#meta
    const first = number64(held, 0)
    const pages = number64(held, 16)
    if (pages !== Math.floor((PAGE_HEADER_BYTES - 1 + bytes) / pageBytes) + 1) {
      return this.#onProblem({ page, what: `it tells of a value of ${bytes} bytes on ${pages} pages` }) as undefined
    }
    if (!this.#claim(first, pages)) return undefined
    const head = Buffer.alloc(PAGE_HEADER_BYTES)
    this.#file.read(head, 0, head.length, first * pageBytes)
    const isRight = number64(head, 0) === first && (head.readUInt16LE(18) & KIND_MASK) === OVERFLOW && head.readUInt32LE(20) === pages
    return isRight ? first : (this.#onProblem({ page: first, what: 'it does not carry the long value it should' }) as undefined)
  }

  #claim(first: number, pages: number): boolean {
    const end = Math.floor(this.#fileBytes / this.#meta.pageBytes)
    if (first < 2 || !Number.isSafeInteger(first) || first + pages > end || first + pages - 1 > this.lastPage) {
      this.#onProblem({ page: first, what: `it is named, but the file has pages 2 to ${Math.min(end - 1, this.lastPage)}` })
      return false
    }
    for (let page = first; page < first + pages; page++) {
      if (this.used.has(page)) {
        this.#onProblem({ page, what: 'it is named more than once' })
        return false
      }
      this.used.add(page)
    }
    return true
  }
}

function readNode(contents: Buffer, at: number, upper: number, kind: number): Node | undefined {
  if (at < upper || at + NODE_HEADER_BYTES > contents.length) return undefined
  const flags = contents.readUInt16LE(at + 4)
  const keyAt = at + NODE_HEADER_BYTES
  const heldAt = keyAt + contents.readUInt16LE(at + 6)
  if (heldAt > contents.length) return undefined
  const key = contents.subarray(keyAt, heldAt)
  if (kind === BRANCH) return { key, child: contents.readUIntLE(at, 6), isBig: false, bytes: 0, held: contents.subarray(heldAt, heldAt) }
  if (flags !== 0 && flags !== BIG_NODE) return undefined
  const isBig = flags === BIG_NODE
  const bytes = contents.readUInt32LE(at)
  const end = heldAt + (isBig ? OVERFLOW_REFERENCE_BYTES : bytes)
  return end > contents.length ? undefined : { key, child: 0, isBig, bytes, held: contents.subarray(heldAt, end) }
}

/** A page that is in use and listed as free will be written over. */
function checkFreePages(tree: Tree, onProblem: (problem: LmdbProblem) => void): void {
  const lists: { readonly page: number; readonly list: Buffer }[] = []
  let entries = 0
  for (const { page, node } of tree.leaves(tree.free)) {
    entries++
    const list = tree.value(page, node)
    if (list !== undefined && list.length >= 8) lists.push({ page, list })
  }
  if (entries !== tree.free.entries)
    onProblem({ page: tree.metaPage, what: `it tells of ${tree.free.entries} lists of free pages; ${entries} can be reached` })
  for (const { page, list } of lists) {
    const count = Math.min(number64(list, 0), Math.floor(list.length / 8) - 1)
    for (let at = 1; at <= count; at++) {
      const free = number64(list, at * 8)
      if (!tree.used.has(free)) continue
      onProblem({ page, what: `it lists page ${free} as free, which is in use` })
      return
    }
  }
}

function number64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at))
}

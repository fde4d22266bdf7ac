// The Merkle tree of RFC 6962 (section 2.1): how leaves and nodes are hashed, and the proofs that a leaf is in a tree and that one tree
// grew out of another. Proofs are made from the hashes of complete subtrees, wherever they are kept; who verifies one needs nothing but it.
import { hash } from 'node:crypto'

export const HASH_BYTES = 32
/** A text of one character a byte: asked for a buffer, Node takes three times as long; told the length, it asks for less. */
const DIGEST = { outputEncoding: 'binary', outputLength: HASH_BYTES } as const

/** The root over the 2^level leaves from index * 2^level on. All of these leaves exist. */
export type SubtreeReader = (level: number, index: number) => Buffer

export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0))

export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, DIGEST), 'latin1')
}

const LEAF_PREFIX = Buffer.from([0])
const NODE_PREFIX = 1
const NODE_BYTES = 1 + 2 * HASH_BYTES
const node = Buffer.alloc(NODE_BYTES, NODE_PREFIX)
/** A leaf behind its prefix, and as much of it as the newest takes. */
let leaf = Buffer.alloc(1024)
let prefixed = leaf

export function leafHash(leaf: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, leaf]))
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return sha256(node)
}

/** `leafHash` of the leaf that stands in `leaves` from `from` to `to`, written into `into` at `at`. */
export function writeLeafHash(leaves: Buffer, from: number, to: number, into: Buffer, at: number): void {
  const length = 1 + to - from
  if (leaf.length < length) leaf = Buffer.alloc(length)
  leaves.copy(leaf, 1, from, to)
  // Most are as long as the one before.
  if (prefixed.length !== length || prefixed.buffer !== leaf.buffer) prefixed = leaf.subarray(0, length)
  into.write(hash('sha256', prefixed, DIGEST), at, HASH_BYTES, 'latin1')
}

/** `nodeHash` of two neighbouring hashes at `from`, written into `into` at `at`. */
export function writeNodeHash(hashes: Buffer, from: number, into: Buffer, at: number): void {
  hashes.copy(node, 1, from, from + 2 * HASH_BYTES)
  into.write(hash('sha256', node, DIGEST), at, HASH_BYTES, 'latin1')
}

/** The root over `size` leaves; that of no leaves is the hash of nothing. */
export function rootHash(size: number, read: SubtreeReader): Buffer {
  return size === 0 ? EMPTY_ROOT : rangeHash(0, size, read)
}

/** The audit path of the leaf at `index` in the tree of `size` leaves, from the leaf up. */
export function inclusionProof(index: number, size: number, read: SubtreeReader): Buffer[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`leaf ${index} is not in a tree of ${size} leaves`)
  const path: Buffer[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.push(rangeHash(middle, to, read))
      to = middle
    } else {
      path.push(rangeHash(from, middle, read))
      from = middle
    }
  }
  return path.reverse()
}

/** The proof that the tree of `newSize` leaves begins with the tree of `oldSize` leaves. */
export function consistencyProof(oldSize: number, newSize: number, read: SubtreeReader): Buffer[] {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw new RangeError(`a tree of ${newSize} leaves has not grown out of one of ${oldSize}`)
  if (oldSize === 0 || oldSize === newSize) return []
  const proof: Buffer[] = []
  let [from, to] = [0, newSize]
  while (oldSize !== to) {
    const middle = from + splitOf(to - from)
    if (oldSize <= middle) {
      proof.push(rangeHash(middle, to, read))
      to = middle
    } else {
      proof.push(rangeHash(from, middle, read))
      from = middle
    }
  }
  // What is the old tree itself is known to who verifies.
  if (from > 0) proof.push(rangeHash(from, to, read))
  return proof.reverse()
}

/** Whether the leaf of that hash stands at `index` in the tree of `size` leaves with that root. */
export function isIncluded(
  leaf: Buffer,
  index: number,
  tree: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (!(index >= 0 && index < tree.size)) return false
  let [place, last, result] = [index, tree.size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      result = nodeHash(sibling, result)
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, half(last)]
    } else result = nodeHash(result, sibling)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && result.equals(tree.root)
}

/** Whether the newer tree begins with the leaves of the older one. */
export function isGrown(older: TreeHead, newer: TreeHead, proof: readonly Buffer[]): boolean {
  if (older.size > newer.size) return false
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root)
  if (older.size === 0) return proof.length === 0 && older.root.equals(EMPTY_ROOT)
  let [place, last] = [older.size - 1, newer.size - 1]
  while (place % 2 === 1) [place, last] = [half(place), half(last)]
  const rest = [...proof]
  // A complete old tree is the first subtree by itself.
  const first = place === 0 ? older.root : rest.shift()
  if (first === undefined) return false
  let [oldRoot, newRoot] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      oldRoot = nodeHash(sibling, oldRoot)
      newRoot = nodeHash(sibling, newRoot)
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, half(last)]
    } else newRoot = nodeHash(newRoot, sibling)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && oldRoot.equals(older.root) && newRoot.equals(newer.root)
}

export interface TreeHead {
  readonly size: number
  readonly root: Buffer
}

function half(number: number): number {
  return Math.floor(number / 2)
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function rangeHash(from: number, to: number, read: SubtreeReader): Buffer {
  const size = to - from
  const split = splitOf(size)
  if (size === 1) return read(0, from)
  if (split * 2 === size) return read(Math.log2(size), from / size)
  return nodeHash(rangeHash(from, from + split, read), rangeHash(from + split, to, read))
}

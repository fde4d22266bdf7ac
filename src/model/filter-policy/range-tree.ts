// Ranges of numbers, and which of them hold a number: a search tree by lower bound, kept in balance by chance, in which each node knows the
// largest upper bound below it, so that branches that end too early are left alone.

interface RangeNode<T> {
  readonly from: number
  readonly to: number
  readonly rank: number
  value: T
  /** The largest upper bound here and below. */
  top: number
  left: RangeNode<T> | undefined
  right: RangeNode<T> | undefined
}

export class RangeTree<T> {
  #root: RangeNode<T> | undefined
  #seed = 0x2545f491

  get isEmpty(): boolean {
    return this.#root === undefined
  }

  get(from: number, to: number): T | undefined {
    let node = this.#root
    while (node !== undefined) {
      const order = compare(from, to, node)
      if (order === 0) return node.value
      node = order < 0 ? node.left : node.right
    }
    return undefined
  }

  set(from: number, to: number, value: T): void {
    this.#root = insert(this.#root, { from, to, rank: this.#nextRank(), value, top: to, left: undefined, right: undefined })
  }

  delete(from: number, to: number): void {
    this.#root = remove(this.#root, from, to)
  }

  /** Values of all ranges that hold the number. */
  visit(number: number, found: (value: T) => void): void {
    visit(this.#root, number, found)
  }

  #nextRank(): number {
    this.#seed ^= this.#seed << 13
    this.#seed ^= this.#seed >>> 17
    this.#seed ^= this.#seed << 5
    return this.#seed
  }
}

function compare<T>(from: number, to: number, node: RangeNode<T>): number {
  if (from !== node.from) return from < node.from ? -1 : 1
  return to === node.to ? 0 : to < node.to ? -1 : 1
}

function visit<T>(node: RangeNode<T> | undefined, number: number, found: (value: T) => void): void {
  if (node === undefined || node.top < number) return
  visit(node.left, number, found)
  if (node.from > number) return
  if (node.to >= number) found(node.value)
  visit(node.right, number, found)
}

function insert<T>(node: RangeNode<T> | undefined, added: RangeNode<T>): RangeNode<T> {
  if (node === undefined) return added
  const order = compare(added.from, added.to, node)
  if (order === 0) {
    node.value = added.value
    return node
  }
  if (order < 0) {
    node.left = insert(node.left, added)
    if (node.left.rank > node.rank) return turned(node, 'left', node.left)
  } else {
    node.right = insert(node.right, added)
    if (node.right.rank > node.rank) return turned(node, 'right', node.right)
  }
  return measured(node)
}

/** The child comes up, the node goes down to its other side. */
function turned<T>(node: RangeNode<T>, side: 'left' | 'right', child: RangeNode<T>): RangeNode<T> {
  const other = side === 'left' ? 'right' : 'left'
  node[side] = child[other]
  child[other] = measured(node)
  return measured(child)
}

function remove<T>(node: RangeNode<T> | undefined, from: number, to: number): RangeNode<T> | undefined {
  if (node === undefined) return undefined
  const order = compare(from, to, node)
  if (order === 0) return merged(node.left, node.right)
  if (order < 0) node.left = remove(node.left, from, to)
  else node.right = remove(node.right, from, to)
  return measured(node)
}

/** All of `low` lies before all of `high`. */
function merged<T>(low: RangeNode<T> | undefined, high: RangeNode<T> | undefined): RangeNode<T> | undefined {
  if (low === undefined || high === undefined) return low ?? high
  if (low.rank > high.rank) {
    low.right = merged(low.right, high)
    return measured(low)
  }
  high.left = merged(low, high.left)
  return measured(high)
}

function measured<T>(node: RangeNode<T>): RangeNode<T> {
  node.top = Math.max(node.to, node.left?.top ?? -Infinity, node.right?.top ?? -Infinity)
  return node
}

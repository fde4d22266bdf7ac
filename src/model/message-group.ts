// The number that a message group has in the journal and in queues: a hash of its id, so that no table of groups has to be kept. Two ids
// with one number share a lock or a turn, which costs a little speed and nothing else. The numbers stand in journals: they never change.

/** Of an ordered (FIFO) group: 1 to 2^52. */
export function orderedGroup(id: string): number {
  return groupNumber(id)
}

/** Of a fair group of a standard queue: -2^52 to -1. */
export function fairGroup(id: string): number {
  return -groupNumber(id)
}

/** Two runs of FNV-1a over the UTF-16 units, each stirred at the end; 52 bits of both. */
function groupNumber(id: string): number {
  let high = 0x811c_9dc5
  let low = 0x0bad_5eed
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x0100_0193)
    low = Math.imul(low ^ unit ^ (high >>> 15), 0x85eb_ca77)
  }
  return (stir(high) >>> 12) * 0x1_0000_0000 + stir(low ^ id.length) + 1
}

function stir(value: number): number {
  let stirred = Math.imul(value ^ (value >>> 16), 0x45d9_f3b5)
  stirred = Math.imul(stirred ^ (stirred >>> 13), 0x2c1b_3c6d)
  return (stirred ^ (stirred >>> 16)) >>> 0
}

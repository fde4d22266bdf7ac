// How many rows a Parquet file says it has: the third field of the FileMetaData at its end, in Thrift's compact protocol
// (Apache Parquet, "Metadata"; Apache Thrift, "Compact protocol encoding").
import type { Check } from './check.ts'

const TAIL_BYTES = 8
const ROWS_FIELD = 3
const STOP = 0
const Kind = { true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 } as const

/** Undefined when the footer cannot be read. */
export function countParquetRows({ files }: Pick<Check, 'files'>, path: string): number | undefined {
  const file = files.open(path, 'read')
  try {
    const size = file.size()
    const tail = Buffer.alloc(TAIL_BYTES)
    file.read(tail, 0, TAIL_BYTES, size - TAIL_BYTES)
    const footer = Buffer.alloc(Math.min(tail.readUInt32LE(0), size - TAIL_BYTES))
    file.read(footer, 0, footer.length, size - TAIL_BYTES - footer.length)
    return new Footer(footer).rows()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  } finally {
    file.close()
  }
}

class Footer {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  rows(): number | undefined {
    let rows: number | undefined
    this.#fields((field, kind) => {
      if (field !== ROWS_FIELD || kind !== Kind.i64) return this.#skip(kind)
      const encoded = this.#varint()
      rows = encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2
    })
    return rows
  }

  #fields(read: (field: number, kind: number) => void): void {
    let field = 0
    for (let head = this.#byte(); head !== STOP; head = this.#byte()) {
      const step = head >> 4
      field = step === 0 ? Math.floor(this.#varint() / 2) : field + step
      read(field, head & 15)
    }
  }

  #skip(kind: number): void {
    switch (kind) {
      case Kind.true:
      case Kind.false:
        return
      case Kind.byte:
        this.#at++
        return
      case Kind.i16:
      case Kind.i32:
      case Kind.i64:
        this.#varint()
        return
      case Kind.double:
        this.#at += 8
        return
      case Kind.binary:
        this.#at += this.#varint()
        return
      case Kind.list:
      case Kind.set:
        return this.#skipList()
      case Kind.struct:
        return this.#fields((_, inner) => this.#skip(inner))
      default:
        throw new RangeError(`a field of kind ${kind} in a Parquet footer`)
    }
  }

  #skipList(): void {
    const head = this.#byte()
    const count = head >> 4 === 15 ? this.#varint() : head >> 4
    const kind = head & 15
    // Booleans in lists take a byte.
    for (let item = 0; item < count; item++) this.#skip(kind === Kind.true || kind === Kind.false ? Kind.byte : kind)
  }

  #byte(): number {
    return this.#bytes.readUInt8(this.#at++)
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
}

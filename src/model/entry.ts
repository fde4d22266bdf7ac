// What one commit tells: the entries of a frame, and their bytes. Entries are physical: keys, values and absolute times decided
// before the commit, so that applying one takes no decision and reads no clock. Format version 1; the journal's header carries it.
//
//   entry   = kind u8 | flags u8 | zero u16 | length u32 | payload (little endian, `length` bytes)
//   flags   = bit 0: reserved (whole frames are sealed instead, storage/segments/format.ts)
//             bit 1, of a message: nobody outside subscribes to it, so that the delivery follower need not look
import { assert } from '../base/assert.ts'

export const ENTRY_HEADER_BYTES = 8
export const MESSAGE_HEADER_BYTES = 4
const EVENT_HEADER_BYTES = 20
const ENQUEUE_BYTES = 48
const HIDE_BYTES = 32
const REMEMBER_BYTES = 32
const MEMORY_KEY_BYTES = 16
const MEMORY_VALUE_BYTES_MAX = 1024
const FLAG_INSIDE = 2

export const EntryKind = {
  put: 1,
  delete: 2,
  event: 3,
  message: 4,
  enqueue: 5,
  hide: 6,
  remove: 7,
  drop: 8,
  attempt: 9,
  remember: 10,
} as const
export type EntryKindCode = (typeof EntryKind)[keyof typeof EntryKind]

/** Who may see an event: `aws` goes to trails and the lake, `own` (signature failures, unsigned confirmations) to the lake only. */
export const EventClass = { aws: 1, own: 2, imported: 3, channel: 4 } as const
export type EventClassCode = (typeof EventClass)[keyof typeof EventClass]

/** Bits of an event entry. `caused`: a trail's own delivery caused the call; such events alone open no delivery round. */
export const EventFlag = { data: 1, caused: 2 } as const

export interface PutEntry {
  readonly kind: 'put'
  readonly table: number
  readonly key: string
  readonly value: Buffer
}
export interface DeleteEntry {
  readonly kind: 'delete'
  readonly table: number
  readonly key: string
}
/** `json`: the CloudTrail record, UTF-8, the very bytes that a log file will hold. Times in ms since 1970; they stay beside the record. */
export interface EventEntry {
  readonly kind: 'event'
  readonly class: EventClassCode
  readonly flags: number
  readonly arrivedAt: number
  readonly committedAt: number
  readonly json: Buffer
}
/** What was published or sent. `header` is JSON whose shape belongs to who reads it (model/message.ts); `body` is the text as given. */
export interface MessageEntry {
  readonly kind: 'message'
  /** Somebody outside this server may subscribe to it. */
  readonly isForOutside: boolean
  readonly header: Buffer
  readonly body: Buffer
}
/**
 * One message arrives in one own queue. The message itself is the entry at `messageOffset` bytes from the start of the frame's payload.
 * `route` 0: sent to the queue directly; else the number of the subscription's route, which says how to wrap the message.
 * `group` 0: none; above 0: an ordered group; below 0: a fair group (model/message-group.ts). Frames of old have 0 there.
 */
export interface EnqueueEntry {
  readonly kind: 'enqueue'
  readonly queue: number
  readonly sequence: number
  readonly visibleAt: number
  readonly sentAt: number
  readonly messageOffset: number
  readonly messageLength: number
  readonly route: number
  readonly group: number
}
/** A message was received, or its visibility changed: hidden until `visibleAt`, received `receives` times by now. */
export interface HideEntry {
  readonly kind: 'hide'
  readonly queue: number
  readonly sequence: number
  readonly visibleAt: number
  readonly receives: number
  readonly firstReceivedAt: number
}
export interface RemoveEntry {
  readonly kind: 'remove'
  readonly queue: number
  readonly sequence: number
}
/** All messages of the queue with a sequence below `before` go (a purge); `before` = Infinity: the queue itself goes. */
export interface DropEntry {
  readonly kind: 'drop'
  readonly queue: number
  readonly before: number
}
/** One attempt at one delivery, as JSON (model/delivery.ts). */
export interface AttemptEntry {
  readonly kind: 'attempt'
  readonly json: Buffer
}

/** A queue keeps `value` (at most MEMORY_VALUE_BYTES_MAX) under `key` (MEMORY_KEY_BYTES) until that time, in ms since 1970. */
export interface RememberEntry {
  readonly kind: 'remember'
  readonly queue: number
  readonly key: Buffer
  readonly until: number
  readonly value: Buffer
}

export type Entry =
  PutEntry | DeleteEntry | EventEntry | MessageEntry | EnqueueEntry | HideEntry | RemoveEntry | DropEntry | AttemptEntry | RememberEntry

/** Collects the entries of one frame in a buffer reused from frame to frame: `reset`, add, then copy `bytes` before the next reset. */
export class FrameBuilder {
  #buffer: Buffer
  #at = 0
  #entries = 0

  constructor(capacity = 16 * 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity)
  }

  get entries(): number {
    return this.#entries
  }

  /** The payload so far; a view that the next `reset` overwrites. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  reset(): this {
    this.#at = 0
    this.#entries = 0
    return this
  }

  put(table: number, key: string, value: string | Buffer): void {
    const keyBytes = Buffer.byteLength(key)
    const valueBytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    const at = this.#begin(EntryKind.put, 4 + keyBytes + valueBytes)
    this.#key(at, table, key, keyBytes)
    if (typeof value === 'string') this.#text(value, at + 4 + keyBytes, valueBytes)
    else value.copy(this.#buffer, at + 4 + keyBytes)
  }

  delete(table: number, key: string): void {
    const keyBytes = Buffer.byteLength(key)
    this.#key(this.#begin(EntryKind.delete, 4 + keyBytes), table, key, keyBytes)
  }

  event(event: { class: EventClassCode; flags: number; arrivedAt: number; committedAt: number; json: string | Buffer }): void {
    const { json } = event
    const jsonBytes = typeof json === 'string' ? Buffer.byteLength(json) : json.length
    const at = this.#begin(EntryKind.event, EVENT_HEADER_BYTES + jsonBytes)
    this.#buffer.writeUInt8(event.class, at)
    this.#buffer.writeUInt8(event.flags, at + 1)
    this.#buffer.writeUInt16LE(0, at + 2)
    this.#buffer.writeDoubleLE(event.arrivedAt, at + 4)
    this.#buffer.writeDoubleLE(event.committedAt, at + 12)
    if (typeof json === 'string') this.#text(json, at + EVENT_HEADER_BYTES, jsonBytes)
    else json.copy(this.#buffer, at + EVENT_HEADER_BYTES)
  }

  /** Returns where the entry stands in the frame, for `enqueue`. */
  message(header: string, body: string | Buffer, isForOutside = true): { offset: number; length: number } {
    const headerBytes = Buffer.byteLength(header)
    const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const offset = this.#at
    const at = this.#begin(EntryKind.message, MESSAGE_HEADER_BYTES + headerBytes + bodyBytes, isForOutside ? 0 : FLAG_INSIDE)
    this.#buffer.writeUInt32LE(headerBytes, at)
    this.#text(header, at + MESSAGE_HEADER_BYTES, headerBytes)
    if (typeof body === 'string') this.#text(body, at + MESSAGE_HEADER_BYTES + headerBytes, bodyBytes)
    else body.copy(this.#buffer, at + MESSAGE_HEADER_BYTES + headerBytes)
    return { offset, length: this.#at - offset }
  }

  enqueue(entry: Omit<EnqueueEntry, 'kind'>): void {
    const at = this.#begin(EntryKind.enqueue, ENQUEUE_BYTES)
    this.#buffer.writeUInt32LE(entry.queue, at)
    this.#buffer.writeUInt32LE(entry.route, at + 4)
    this.#buffer.writeDoubleLE(entry.sequence, at + 8)
    this.#buffer.writeDoubleLE(entry.visibleAt, at + 16)
    this.#buffer.writeDoubleLE(entry.sentAt, at + 24)
    this.#buffer.writeUInt32LE(entry.messageOffset, at + 32)
    this.#buffer.writeUInt32LE(entry.messageLength, at + 36)
    this.#buffer.writeDoubleLE(entry.group, at + 40)
  }

  hide(entry: Omit<HideEntry, 'kind'>): void {
    const at = this.#begin(EntryKind.hide, HIDE_BYTES)
    this.#buffer.writeUInt32LE(entry.queue, at)
    this.#buffer.writeUInt32LE(entry.receives, at + 4)
    this.#buffer.writeDoubleLE(entry.sequence, at + 8)
    this.#buffer.writeDoubleLE(entry.visibleAt, at + 16)
    this.#buffer.writeDoubleLE(entry.firstReceivedAt, at + 24)
  }

  remove(queue: number, sequence: number): void {
    this.#queueAndNumber(EntryKind.remove, queue, sequence)
  }

  drop(queue: number, before: number): void {
    this.#queueAndNumber(EntryKind.drop, queue, before)
  }

  remember({ queue, key, until, value }: Omit<RememberEntry, 'kind'>): void {
    assert(key.length === MEMORY_KEY_BYTES, `a memory's key has ${MEMORY_KEY_BYTES} bytes`)
    assert(value.length <= MEMORY_VALUE_BYTES_MAX, `a memory of at most ${MEMORY_VALUE_BYTES_MAX} bytes`)
    const at = this.#begin(EntryKind.remember, REMEMBER_BYTES + value.length)
    this.#buffer.writeUInt32LE(queue, at)
    this.#buffer.writeUInt32LE(0, at + 4)
    this.#buffer.writeDoubleLE(until, at + 8)
    key.copy(this.#buffer, at + 16)
    value.copy(this.#buffer, at + REMEMBER_BYTES)
  }

  attempt(json: string): void {
    const length = Buffer.byteLength(json)
    const at = this.#begin(EntryKind.attempt, length)
    this.#text(json, at, length)
  }

  /** `bytes` is the text's length in UTF-8; text that is all ASCII has as many characters, and is copied without encoding. */
  #text(text: string, at: number, bytes: number): void {
    if (bytes === text.length) this.#buffer.write(text, at, bytes, 'latin1')
    else this.#buffer.write(text, at, bytes, 'utf8')
  }

  #queueAndNumber(kind: EntryKindCode, queue: number, number: number): void {
    const at = this.#begin(kind, 12)
    this.#buffer.writeUInt32LE(queue, at)
    this.#buffer.writeDoubleLE(number, at + 4)
  }

  #key(at: number, table: number, key: string, keyBytes: number): void {
    assert(keyBytes <= 0xffff && table <= 0xff, 'a record key of at most 65535 bytes in a table below 256')
    this.#buffer.writeUInt8(table, at)
    this.#buffer.writeUInt8(0, at + 1)
    this.#buffer.writeUInt16LE(keyBytes, at + 2)
    this.#buffer.write(key, at + 4, 'utf8')
  }

  #begin(kind: EntryKindCode, length: number, flags = 0): number {
    const at = this.#at
    const end = at + ENTRY_HEADER_BYTES + length
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#buffer.writeUInt32LE(kind | (flags << 8), at)
    this.#buffer.writeUInt32LE(length, at + 4)
    this.#at = end
    this.#entries++
    return at + ENTRY_HEADER_BYTES
  }
}

export interface PlacedEntry {
  /** From the start of the frame's payload. */
  readonly offset: number
  readonly entry: Entry
}

/** The entries of a frame's payload, in order; only those of `kinds` where it is given. Buffers inside are views on `payload`. */
export function readEntries(payload: Buffer, kinds?: ReadonlySet<number>): PlacedEntry[] {
  const entries: PlacedEntry[] = []
  visitEntries(payload, (kind, at, end) => {
    if (kinds === undefined || kinds.has(kind))
      entries.push({ offset: at, entry: readEntry(kind, payload.readUInt8(at + 1), payload, at + ENTRY_HEADER_BYTES, end) })
  })
  return entries
}

/** Where the entries of a frame's payload stand, in order, headers included; nothing is decoded. For who looks at every frame there is. */
export function visitEntries(payload: Buffer, visit: (kind: number, at: number, end: number) => void): void {
  for (let at = 0, end = 0; at < payload.length; at = end) {
    end = entryEnd(payload, at)
    visit(payload[at] ?? 0, at, end)
  }
}

/** Where the entry that begins at `at` ends. Its first byte is its kind. */
export function entryEnd(payload: Buffer, at: number): number {
  assert(at + ENTRY_HEADER_BYTES <= payload.length, 'an entry header within its frame')
  const end = at + ENTRY_HEADER_BYTES + lengthAt(payload, at + 4)
  assert(end <= payload.length, 'an entry within its frame')
  return end
}

export interface EventPlace {
  readonly class: EventClassCode
  readonly flags: number
  /** In ms since 1970: the record's eventTime is its second. */
  readonly committedAt: number
  readonly jsonAt: number
}

/** u32 LE; half the time of Buffer's own, for what is done for each entry there is. */
function lengthAt(bytes: Buffer, at: number): number {
  return (((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) >>> 0) + (bytes[at + 3] ?? 0) * 0x1000000
}

/** Of the event entry that `visitEntries` gave: what stands beside its record, and where the record's bytes begin. */
export function eventAt(payload: Buffer, at: number): EventPlace {
  const header = at + ENTRY_HEADER_BYTES
  return {
    class: payload.readUInt8(header) as EventClassCode,
    flags: payload.readUInt8(header + 1),
    committedAt: payload.readDoubleLE(header + 12),
    jsonAt: header + EVENT_HEADER_BYTES,
  }
}

/** Decodes one entry that starts at `bytes[0]`, header included: how a message is read by position. */
export function readEntryAt(bytes: Buffer): Entry {
  const length = bytes.readUInt32LE(4)
  assert(ENTRY_HEADER_BYTES + length <= bytes.length, 'an entry within its bytes')
  return readEntry(bytes.readUInt8(0), bytes.readUInt8(1), bytes, ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + length)
}

/** The payload of the entry stands from `at` to `end`. */
function readEntry(kind: number, flags: number, bytes: Buffer, at: number, end: number): Entry {
  switch (kind) {
    case EntryKind.put: {
      const valueAt = at + 4 + bytes.readUInt16LE(at + 2)
      return { kind: 'put', table: bytes.readUInt8(at), key: bytes.toString('utf8', at + 4, valueAt), value: bytes.subarray(valueAt, end) }
    }
    case EntryKind.delete:
      return { kind: 'delete', table: bytes.readUInt8(at), key: bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt16LE(at + 2)) }
    case EntryKind.event:
      return {
        kind: 'event',
        class: bytes.readUInt8(at) as EventClassCode,
        flags: bytes.readUInt8(at + 1),
        arrivedAt: bytes.readDoubleLE(at + 4),
        committedAt: bytes.readDoubleLE(at + 12),
        json: bytes.subarray(at + EVENT_HEADER_BYTES, end),
      }
    case EntryKind.message: {
      const headerAt = at + MESSAGE_HEADER_BYTES
      const bodyAt = headerAt + bytes.readUInt32LE(at)
      return {
        kind: 'message',
        isForOutside: (flags & FLAG_INSIDE) === 0,
        header: bytes.subarray(headerAt, bodyAt),
        body: bytes.subarray(bodyAt, end),
      }
    }
    case EntryKind.enqueue:
      return {
        kind: 'enqueue',
        queue: bytes.readUInt32LE(at),
        route: bytes.readUInt32LE(at + 4),
        sequence: bytes.readDoubleLE(at + 8),
        visibleAt: bytes.readDoubleLE(at + 16),
        sentAt: bytes.readDoubleLE(at + 24),
        messageOffset: bytes.readUInt32LE(at + 32),
        messageLength: bytes.readUInt32LE(at + 36),
        group: bytes.readDoubleLE(at + 40),
      }
    case EntryKind.hide:
      return {
        kind: 'hide',
        queue: bytes.readUInt32LE(at),
        receives: bytes.readUInt32LE(at + 4),
        sequence: bytes.readDoubleLE(at + 8),
        visibleAt: bytes.readDoubleLE(at + 16),
        firstReceivedAt: bytes.readDoubleLE(at + 24),
      }
    case EntryKind.remove:
      return { kind: 'remove', queue: bytes.readUInt32LE(at), sequence: bytes.readDoubleLE(at + 4) }
    case EntryKind.drop:
      return { kind: 'drop', queue: bytes.readUInt32LE(at), before: bytes.readDoubleLE(at + 4) }
    case EntryKind.remember:
      return {
        kind: 'remember',
        queue: bytes.readUInt32LE(at),
        until: bytes.readDoubleLE(at + 8),
        key: bytes.subarray(at + 16, at + REMEMBER_BYTES),
        value: bytes.subarray(at + REMEMBER_BYTES, end),
      }
    case EntryKind.attempt:
      return { kind: 'attempt', json: bytes.subarray(at, end) }
    default:
      throw new RangeError(`entry kind ${kind} is unknown to this version of Sealcast`)
  }
}

// A fuzz target of a whole service: from the bytes of a request's body through every operation to the bytes of the answer, over a world
// that has something in it. Whatever is sent, the answer is one that the service gives, and never a failure of the server's own.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import type { ServiceModel } from '../src/model/shape.ts'
import { createDoor } from '../src/wire/door.ts'
import type { FuzzTarget } from '../src/wire/fuzz.ts'
import type { HttpRequest } from '../src/wire/http.ts'
import { ACCOUNT, type Harness, REGION } from './harness.ts'

/** So many inputs to one world; then it begins anew, with the same ids. */
const INPUTS_PER_WORLD = 400
/** Longer than the longest wait of any call. */
const SECONDS_MAX = 25
const TURNS = 12
export const HOST = 'sealcast.test:4566'

export interface FuzzedService {
  readonly name: 'sns' | 'sqs'
  readonly model: () => ServiceModel
  open(): Promise<FuzzedWorld>
  requestOf(input: Buffer): Pick<HttpRequest, 'path' | 'headers' | 'body'>
  /** What an input asks for, as it is named among what was served. */
  nameOf(input: Buffer): string
}

export interface FuzzedWorld {
  readonly harness: Harness
  /** Inputs that are served. */
  readonly seeds: readonly Buffer[]
  close(): Promise<void>
}

export interface ServiceTarget {
  readonly target: FuzzTarget
  /** What has been served, not refused. */
  readonly served: ReadonlySet<string>
  close(): Promise<void>
}

export async function createServiceTarget(service: FuzzedService): Promise<ServiceTarget> {
  let world = await service.open()
  let answer = doorOf(service, world.harness)
  let inputs = 0
  const served = new Set<string>()
  return {
    served,
    target: {
      name: service.name.toUpperCase(),
      seeds: world.seeds,
      async run(input) {
        if (++inputs % INPUTS_PER_WORLD === 0) {
          await world.close()
          world = await service.open()
          answer = doorOf(service, world.harness)
        }
        const { status, body } = await answer(service.requestOf(input))
        const text = body.toString()
        assert.ok(status >= 200 && status < 500, `status ${status}: ${text}`)
        assert.ok(!text.includes('\n    at '), `a stack trace: ${text}`)
        if (!text.startsWith('<')) JSON.parse(text === '' ? '{}' : text)
        if (status === 200) served.add(service.nameOf(input))
      },
    },
    close: () => world.close(),
  }
}

/** Time passes only where an answer waits for it. */
function doorOf({ name, model }: FuzzedService, harness: Harness) {
  const door = createDoor({
    services: { [name]: { model } },
    invoke: (call) => harness.invoke({ ...call, signature: undefined, principal: rootPrincipal(ACCOUNT, 'AKIATEST') }),
    internal: () => ({ status: 404, headers: {}, body: '' }),
    clock: harness.clock,
    random: seededRandom(1),
    log: silentLog,
    fallbackRegion: REGION,
  })
  return async (request: Pick<HttpRequest, 'path' | 'headers' | 'body'>) => {
    const answer = Promise.resolve(
      door.handler({
        ...{ method: 'POST', query: '', remoteAddress: '127.0.0.1', tls: undefined, stream: undefined },
        ...request,
        arrivedAt: harness.clock.now(),
      }),
    )
    let isOver = false
    answer.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    for (let seconds = 0; !isOver; seconds++) {
      for (let turns = 0; turns < TURNS && !isOver; turns++) await turn()
      if (isOver) break
      assert.ok(seconds < SECONDS_MAX, 'no answer comes')
      harness.clock.advance(1000)
    }
    return answer
  }
}

// The newest messages of FIFO topics that a replay catches up with: between a publish and its place in the archive lie some milliseconds,
// in which others publish. With what is remembered here a replay ends in one step however busy its topic is.
import type { Outgoing } from '../../model/data-protection/outgoing.ts'
import type { Message } from '../../model/message.ts'

export interface LatestMessage {
  readonly message: Message
  /** What data protection made of it. */
  readonly outgoing: Outgoing | undefined
}

/** Of a topic: as many as one step of a replay takes, and as much. */
const MESSAGES_MAX = 64
const CHARACTERS_MAX = 256 * 1024

interface Followed {
  readonly bySequence: Map<number, LatestMessage>
  followers: number
}

export class LatestMessages {
  readonly #topics = new Map<string, Followed>()

  /** From now on what the topic is sent is remembered. Returns what ends it. */
  follow(topicArn: string): () => void {
    const followed = this.#topics.get(topicArn) ?? { bySequence: new Map(), followers: 0 }
    this.#topics.set(topicArn, followed)
    followed.followers++
    return () => {
      if (--followed.followers === 0) this.#topics.delete(topicArn)
    }
  }

  /** In the step that stages it. One that is not committed after all gives its sequence to another, which takes its place. */
  note(topicArn: string, sequence: number, message: Message, outgoing: Outgoing | undefined): void {
    const latest = this.#topics.get(topicArn)?.bySequence
    if (latest === undefined) return
    latest.delete(sequence)
    latest.set(sequence, { message, outgoing })
    for (const oldest of latest.keys()) {
      if (latest.size <= MESSAGES_MAX) break
      latest.delete(oldest)
    }
  }

  /** All from one sequence to before another; undefined where some are not remembered, or they are too many for one step. */
  between(topicArn: string, from: number, to: number): readonly (LatestMessage & { readonly sequence: number })[] | undefined {
    const latest = this.#topics.get(topicArn)?.bySequence
    if (latest === undefined || to - from > MESSAGES_MAX) return undefined
    const found: (LatestMessage & { readonly sequence: number })[] = []
    let characters = 0
    for (let sequence = from; sequence < to; sequence++) {
      const one = latest.get(sequence)
      characters += one?.message.body.length ?? 0
      if (one === undefined || characters > CHARACTERS_MAX) return undefined
      found.push({ ...one, sequence })
    }
    return found
  }
}

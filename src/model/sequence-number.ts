// Sequence numbers as FIFO queues and topics show them: twenty digits that rise from message to message, with gaps.

/** Where AWS's own stand today; so they never run out, and look alike. */
const PREFIX = '188'
const DIGITS = 20

/** `sequence`: a whole number from 0, one that never comes twice in the queue or topic. */
export function sequenceNumber(sequence: number): string {
  return PREFIX + String(sequence).padStart(DIGITS - PREFIX.length, '0')
}

/** The counter that the sequence numbers of a topic come from, by its number (TopicIds). */
export function sequenceCounter(topicNumber: number): string {
  return `topic ${topicNumber}`
}

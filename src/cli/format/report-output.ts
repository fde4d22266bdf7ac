// What a check of much data tells while it goes on: findings a line each as they come, progress in one line of a terminal.
import type { Terminal } from '../command.ts'

export interface ReportOutput {
  line(text: string): void
  /** Replaces the line of progress; nothing where no terminal shows it. */
  progress(text: string): void
  /** Takes the line of progress away. */
  clear(): void
  /** Resolves when all lines are written. Rejects where they cannot be. */
  written(): Promise<void>
}

export function createReportOutput(terminal: Terminal): ReportOutput {
  let written = Promise.resolve()
  const clear = (): void => {
    if (terminal.isNoteTerminal) terminal.note('\r\u001b[K')
  }
  return {
    clear,
    line(text) {
      clear()
      written = written.then(() => terminal.write(`${text}\n`))
      // Met again by whoever waits at the end.
      written.catch(() => {})
    },
    progress(text) {
      if (terminal.isNoteTerminal) terminal.note(`\r\u001b[K${text}`)
    },
    written: () => written,
  }
}

// The journal's writer thread. It never returns to an event loop: it sleeps in Atomics.wait, writes the group it is woken for, looks
// for jobs, and does housekeeping piece by piece while no group waits.
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Files } from '../files.ts'
import { REASON_BYTES, Word, type WriterJob, type WriterThreadSetup } from './commit.ts'
import { GroupWriter } from './group-writer.ts'

const setup = workerData as WriterThreadSetup
const module = (await import(setup.elsewhere.module)) as Record<string, (() => Files) | undefined>
const openFiles = module[setup.elsewhere.name]
if (openFiles === undefined) throw new Error(`${setup.elsewhere.module} does not export ${setup.elsewhere.name}`)
serve(openFiles())

function serve(files: Files): void {
  const words = new Int32Array(setup.words)
  const slabs = setup.slabs.map((slab) => Buffer.from(slab))
  let writer: GroupWriter | undefined
  let served = 0
  let failed = false
  const handle = (job: WriterJob): boolean => {
    switch (job.kind) {
      case 'start':
        writer = new GroupWriter(files, job.state)
        return true
      case 'recycle':
        writer?.recycle(job.numbers)
        return true
      case 'close':
        writer?.close()
        return false
    }
  }
  const write = (): void => {
    try {
      const slab = slabs[Atomics.load(words, Word.slab)] as Buffer
      if (writer === undefined) throw new Error('the journal writer was not started')
      writer.write(slab, Atomics.load(words, Word.first), Atomics.load(words, Word.second))
    } catch (error) {
      failed = true
      tell(error as NodeJS.ErrnoException)
    }
    Atomics.add(words, Word.done, 1)
    Atomics.notify(words, Word.done)
  }
  const tell = ({ message, code }: NodeJS.ErrnoException): void => {
    const reason = Buffer.from(JSON.stringify({ message: message.slice(0, REASON_BYTES / 4), code }))
    reason.copy(Buffer.from(setup.reason))
    Atomics.store(words, Word.reasonBytes, reason.length)
    Atomics.store(words, Word.failed, 1)
  }
  const step = (): boolean => {
    if (writer === undefined || failed) return false
    try {
      return writer.step()
    } catch (error) {
      setup.jobs.postMessage(String((error as Error).message))
      return true
    }
  }
  for (;;) {
    const seen = Atomics.load(words, Word.wake)
    const job = receiveMessageOnPort(setup.jobs)?.message as WriterJob | undefined
    if (job !== undefined) {
      if (!handle(job)) return setup.jobs.close()
      continue
    }
    const group = Atomics.load(words, Word.group)
    if (group !== served) {
      served = group
      write()
    } else if (!step()) {
      Atomics.wait(words, Word.wake, seen)
    }
  }
}

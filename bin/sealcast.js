#!/usr/bin/env node
// The command `sealcast`, startable from any Node from 20.20 on.
import { join } from 'node:path'
import { runUnderNode26 } from './node26.js'

// What lives long here is small and what is garbage comes fast: a heap that may grow fivefold is collected a third as often.
const HEAP = '--heap-growing-percent=400'

runUnderNode26(['--disable-warning=ExperimentalWarning', HEAP, join(import.meta.dirname, '..', 'src', 'main.ts'), ...process.argv.slice(2)])

#!/usr/bin/env node
// The command `sealcast`, startable from any Node from 20.20 on.
import { join } from 'node:path'
import { runUnderNode26 } from './node26.js'

runUnderNode26(['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'src', 'main.ts'), ...process.argv.slice(2)])

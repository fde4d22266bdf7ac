// The delivery protocols. `npm run new deliverer <name>` adds one.
import type { Deliverer } from '../engine/deliverer.ts'
import { http, https } from './http.ts'

export const deliverers = { http, https } satisfies Record<string, Deliverer>

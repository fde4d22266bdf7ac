// The commands by name.
import type { AnyCommand } from '../command.ts'
import { accounts } from './accounts.ts'
import { backup } from './backup.ts'
import { buckets } from './buckets.ts'
import { clock } from './clock.ts'
import { coverage } from './coverage.ts'
import { deliveries } from './deliveries.ts'
import { demo } from './demo.ts'
import { digests } from './digests.ts'
import { doctor } from './doctor.ts'
import { env } from './env.ts'
import { fsck } from './fsck.ts'
import { importFiles } from './import.ts'
import { inbox } from './inbox.ts'
import { keys } from './keys.ts'
import { prove } from './prove.ts'
import { query } from './query.ts'
import { retention } from './retention.ts'
import { restore } from './restore.ts'
import { serve } from './serve.ts'
import { status } from './status.ts'
import { tail } from './tail.ts'
import { tree } from './tree.ts'
import { verify } from './verify.ts'

export const commands: Readonly<Record<string, AnyCommand>> = {
  serve,
  env,
  status,
  tail,
  query,
  deliveries,
  inbox,
  clock,
  tree,
  prove,
  verify,
  import: importFiles,
  coverage,
  retention,
  accounts,
  buckets,
  keys,
  digests,
  backup,
  restore,
  fsck,
  demo,
  doctor,
} satisfies Record<string, AnyCommand>

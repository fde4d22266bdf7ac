// The operator's service, which AWS does not have: reached through the data directory's own socket, recorded like any call.
import type { AnyOperation, Service } from '../../engine/operation.ts'
import type { ServiceModel } from '../../model/shape.ts'
import { connectBucket } from './connect-bucket.ts'
import { backup } from './backup.ts'
import { coverage } from './coverage.ts'
import { createAccount } from './create-account.ts'
import { createKey } from './create-key.ts'
import { disconnectBucket } from './disconnect-bucket.ts'
import { accessDenied, internalError } from './errors.ts'
import { exportTree } from './export-tree.ts'
import { getEnvironment } from './get-environment.ts'
import { getRetention } from './get-retention.ts'
import { getStatus } from './get-status.ts'
import { getTree } from './get-tree.ts'
import { importFiles } from './import.ts'
import { listAccounts } from './list-accounts.ts'
import { listCaptured } from './list-captured.ts'
import { listConnectedBuckets } from './list-connected-buckets.ts'
import { listDigestKeys } from './list-digest-keys.ts'
import { listKeys } from './list-keys.ts'
import type { SealcastParts } from './operation.ts'
import { proveEvent } from './prove-event.ts'
import { proveGrowth } from './prove-growth.ts'
import { query } from './query.ts'
import { rotateDigestKey } from './rotate-digest-key.ts'
import { rotateKey } from './rotate-key.ts'
import { rotateRootKey } from './rotate-root-key.ts'
import { setKeyState } from './set-key-state.ts'
import { rotateTreeKey } from './rotate-tree-key.ts'
import { signTree } from './sign-tree.ts'
import { tail } from './tail.ts'

const operations = {
  Backup: backup,
  Coverage: coverage,
  ConnectBucket: connectBucket,
  CreateAccount: createAccount,
  CreateKey: createKey,
  DisconnectBucket: disconnectBucket,
  ExportTree: exportTree,
  GetEnvironment: getEnvironment,
  GetRetention: getRetention,
  GetStatus: getStatus,
  GetTree: getTree,
  Import: importFiles,
  ListAccounts: listAccounts,
  ListCaptured: listCaptured,
  ListConnectedBuckets: listConnectedBuckets,
  ListDigestKeys: listDigestKeys,
  ListKeys: listKeys,
  ProveEvent: proveEvent,
  ProveGrowth: proveGrowth,
  Query: query,
  RotateDigestKey: rotateDigestKey,
  RotateKey: rotateKey,
  RotateRootKey: rotateRootKey,
  SetKeyState: setKeyState,
  RotateTreeKey: rotateTreeKey,
  SignTree: signTree,
  Tail: tail,
} satisfies Record<string, (parts: SealcastParts) => AnyOperation>

export function createSealcast(parts: SealcastParts): Service {
  return {
    name: 'sealcast',
    eventSource: 'sealcast.local',
    actionPrefix: 'sealcast',
    model: () => MODEL,
    operations: Object.fromEntries(Object.entries(operations).map(([name, make]) => [name, make(parts)])),
    accessDenied,
    internalError,
    recordsDataEvents: 'always',
    own: true,
  }
}

/** It speaks plain JSON on its own socket; no codec needs its shapes. */
const MODEL: ServiceModel = {
  service: 'sealcast',
  version: '1',
  protocol: 'awsJson1_1',
  xmlNamespace: '',
  targetPrefixes: [],
  queryCompatible: false,
  operations: {},
  shapes: {},
  errors: {},
}

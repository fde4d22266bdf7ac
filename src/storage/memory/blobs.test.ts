// Blobs in memory against the port's suite.
import { blobsSuite } from '../blobs.suite.ts'
import { memoryBlobs } from './blobs.ts'

blobsSuite('memory', () => ({ open: async (parts) => memoryBlobs(parts), leftovers: () => [], remove: () => {} }))

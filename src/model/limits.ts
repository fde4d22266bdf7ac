// Every limit of the server in one place; limits.test.ts asserts how they relate.

/** What the front door takes in before anything is known about the caller. */
export const WIRE = {
  /** A body that is collected in memory: ten SQS messages of 1 MiB in all, percent-encoded, fit three times over. */
  bodyBytesMax: 8 * 1024 * 1024,
  /** All collected bodies in flight together; beyond, the server answers 503 with Retry-After. */
  bodyBytesInFlightMax: 256 * 1024 * 1024,
  /** A streamed upload: S3's largest single PUT. */
  streamBytesMax: 5 * 1024 * 1024 * 1024,
  headerBytesMax: 32 * 1024,
  headersMax: 200,
  urlBytesMax: 16 * 1024,
  /** From the first byte of a request to the end of its headers. */
  headersTimeoutMs: 30_000,
  /** A collected body must be complete by then; a stream must not pause for longer. */
  bodyTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  retryAfterSeconds: 1,

  formParametersMax: 4096,
  formNameBytesMax: 1024,
  formDepthMax: 12,
  queryParametersMax: 256,
  jsonDepthMax: 64,
  xmlDepthMax: 32,
  xmlNodesMax: 100_000,
  xmlAttributesMax: 16,

  /** How far a signature's time may be from ours (Signature Version 4, "Elements of an AWS API request signature"). */
  signatureSkewMs: 15 * 60_000,
  presignedSecondsMax: 7 * 24 * 3600,
  signedHeadersBytesMax: 4096,
  signingKeysCached: 4096,

  chunkHeaderBytesMax: 1024,
  trailerBytesMax: 8 * 1024,
} as const

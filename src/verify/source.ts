// Where the verifier reads from: a folder or a bucket, handed to it. Names are `/`-separated paths from the place that was given.

export interface SourceFile {
  readonly name: string
  /** As stored. */
  readonly bytes: number
}

export interface Source {
  /** For the report: a path or an s3:// address. */
  readonly place: string
  /** Where names are whole object keys of one bucket: its name. */
  readonly bucket?: string
  /** What the names begin behind, where the place lies within the bucket; ends with a slash or is empty. */
  readonly prefix: string
  /** Every file whose name begins so, in order of their names' bytes. */
  list(beginning: string): AsyncIterable<SourceFile>
  /** The file as stored, undefined when there is none. A file larger than `bytesMax` comes as a stream. */
  read(name: string, bytesMax: number): Promise<Buffer | AsyncIterable<Buffer> | undefined>
  /** The user metadata of the object, names in lower case and without their prefix; undefined when nothing is known of it. */
  metadata(name: string): Promise<Readonly<Record<string, string>> | undefined>
}

/** Whole small files of a static log: `checkpoint`, `tile/entries/000`. Undefined when there is none. */
export type LogReader = (path: string) => Promise<Buffer | undefined>

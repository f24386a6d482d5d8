/** A bounded log in memory whose readers can wait for more. */
export interface KeptLog {
  append(bytes: Uint8Array): void
  /** Keeps the newest `sizeBytes`. */
  trim(sizeBytes: number): void
  read(options: { tailBytes: number; follow: boolean; signal?: AbortSignal }): AsyncIterable<{ bytes: Uint8Array }>
}

const joined = (chunks: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

export const keepLog = (): KeptLog => {
  let kept = new Uint8Array()
  let writtenBytes = 0
  const readers = new Set<() => void>()
  const more = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => {
      const done = () => {
        readers.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      readers.add(done)
      signal?.addEventListener('abort', done)
    })
  return {
    append: (bytes) => {
      kept = joined([kept, bytes]) as Uint8Array<ArrayBuffer>
      writtenBytes += bytes.length
      for (const wake of [...readers]) wake()
    },
    trim: (sizeBytes) => {
      kept = kept.slice(Math.max(0, kept.length - sizeBytes))
    },
    async *read({ tailBytes, follow, signal }) {
      let position = writtenBytes - Math.min(tailBytes, kept.length)
      while (!signal?.aborted) {
        const bytes = kept.slice(Math.max(0, kept.length - (writtenBytes - position)))
        position = writtenBytes
        if (bytes.length > 0) yield { bytes }
        else if (!follow) return
        else await more(signal)
      }
    },
  }
}

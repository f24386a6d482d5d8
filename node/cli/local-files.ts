import { createReadStream, readFileSync, statSync } from 'node:fs'
import { errorText, SkerryError } from '../../base/index.ts'
import type { Upload } from './client.ts'

const maxDocumentBytes = 8 * 2 ** 20

/** @throws {SkerryError} `no-such-file` when the file cannot be read */
export const readDocumentFile = (path: string): string => {
  try {
    if (statSync(path).size > maxDocumentBytes)
      throw new SkerryError('file-too-large', `${path} is larger than 8 MiB: is it a specification?`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof SkerryError) throw error
    throw new SkerryError('no-such-file', `cannot read ${path}: ${errorText(error)}`)
  }
}

/** A file to send, chunk by chunk. @throws {SkerryError} `no-such-file` */
export const openUpload = (path: string): Upload => {
  try {
    const found = statSync(path)
    if (!found.isFile()) throw new Error('it is not a file')
    return { sizeBytes: found.size, chunks: createReadStream(path, { highWaterMark: 256 * 1024 }) }
  } catch (error) {
    throw new SkerryError('no-such-file', `cannot read the archive ${path}: ${errorText(error)}`)
  }
}

/** Everything that comes on standard input, as text. */
export const readStdin = async (stdin: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

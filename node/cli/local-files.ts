import { createReadStream, readFileSync, statSync } from 'node:fs'
import { errorText, SkerryError } from '../../base/index.ts'
import type { Upload } from './client.ts'

const maxDocumentBytes = 8 * 2 ** 20

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file here; check the name and the folder you are in',
  EISDIR: 'it is a folder; name a file in it',
  EACCES: 'this user may not read it; change its mode, or use its owner',
  ENOTDIR: 'a part of its path is no folder; check the path',
}

/** Why a file cannot be read, and what to do, as far as the system's code says. */
const unreadable = (what: string, error: unknown): SkerryError => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new SkerryError('no-such-file', `cannot read ${what}: ${reasons[code] ?? errorText(error)}`)
}

/** @throws {SkerryError} `no-such-file` when the file cannot be read */
export const readDocumentFile = (path: string): string => {
  try {
    if (statSync(path).size > maxDocumentBytes)
      throw new SkerryError('file-too-large', `${path} is larger than 8 MiB: is it a specification?`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof SkerryError) throw error
    throw unreadable(path, error)
  }
}

const sizeOfArchive = (path: string): number => {
  try {
    const found = statSync(path)
    if (!found.isFile())
      throw new Error(found.isDirectory() ? 'it is a folder; name a file in it' : 'it is not a plain file')
    return found.size
  } catch (error) {
    throw unreadable(`the archive ${path}`, error)
  }
}

/** A file to send, chunk by chunk. @throws {SkerryError} `no-such-file` */
export const openUpload = (path: string): Upload => ({
  sizeBytes: sizeOfArchive(path),
  chunks: createReadStream(path, { highWaterMark: 256 * 1024 }),
})

/**
 * Names and digests of the images an OCI archive holds. Its layers are not read.
 * @throws {SkerryError} `no-such-file`, `bad-image`
 */
export const namesInArchive = async (
  path: string,
): Promise<readonly { readonly name: string; readonly digest: string }[]> => {
  sizeOfArchive(path)
  // Loaded when it is needed: most commands read no archive.
  const { openArchive } = await import('../../runtime/index.ts')
  const archive = await openArchive(path)
  const images = archive.images.map(({ name, digest }) => ({ name, digest }))
  await archive.close()
  return images
}

/** Everything that comes on standard input, as text. */
export const readStdin = async (stdin: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

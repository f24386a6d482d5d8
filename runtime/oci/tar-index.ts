import type { FileHandle } from 'node:fs/promises'

/** Where the bytes of one regular file lie inside a tar file. */
export interface TarEntry {
  readonly offset: number
  readonly sizeBytes: number
}

/** What is wrong with a tar file, in words that follow its name. */
export class TarError extends Error {}

const blockBytes = 512
/** An archive of images needs a few entries per image; this bounds the index in memory. */
const maxEntries = 20_000
/** Long names and extended headers are small; a larger one is an attack on memory. */
const maxExtensionBytes = 64 * 1024

const text = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

/** Octal text, or base 256 when the first bit is set (GNU tar, for sizes of 8 GiB and more). */
const number = (block: Buffer, from: number, length: number): number => {
  const first = block[from] ?? 0
  if (first & 0x80) {
    let value = first & 0x7f
    for (let at = from + 1; at < from + length; at++) value = value * 256 + (block[at] ?? 0)
    return value
  }
  const digits = text(block, from, length).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

const checksumHolds = (block: Buffer): boolean => {
  let sum = 8 * 0x20
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return sum === number(block, 148, 8)
}

/** The records of an extended header: `<length> <key>=<value>\n` (POSIX.1-2001, pax). */
const paxRecords = (bytes: Buffer): Map<string, string> => {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(bytes.toString('latin1', at, space))
    if (!Number.isInteger(length) || length <= space - at || at + length > bytes.length) break
    const record = bytes.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

const safeName = (raw: string): string => {
  const name = raw.replace(/^(\.\/+)+/, '')
  const steps = name.split('/')
  if (name.startsWith('/') || steps.includes('..') || name.includes('\\') || name.includes('\0'))
    throw new TarError(`has an entry named ${JSON.stringify(raw.slice(0, 120))}, which leads out of the archive`)
  return name
}

/** Exactly `length` bytes at `offset`. @throws {TarError} when the file is shorter. */
export const readExactly = async (file: FileHandle, offset: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new TarError(`is cut off at byte ${offset + done}`)
    done += bytesRead
  }
  return bytes
}

/**
 * Lists the regular files of a tar file without reading what is in them. Links, devices and the like are left out,
 * so that nothing can be reached through them.
 * @returns name → place, in the order of the file; of two entries of one name the first counts.
 * @throws {TarError} when the file is no tar file, is cut off, leads out of itself or has too many entries.
 */
export const indexTar = async (file: FileHandle, signal?: AbortSignal): Promise<ReadonlyMap<string, TarEntry>> => {
  const { size } = await file.stat()
  const entries = new Map<string, TarEntry>()
  let extended = new Map<string, string>()
  let count = 0
  for (let at = 0; at + blockBytes <= size; ) {
    signal?.throwIfAborted()
    const header = await readExactly(file, at, blockBytes)
    if (header.every((byte) => byte === 0)) return entries
    if (!checksumHolds(header)) throw new TarError(`is no tar file (bad header at byte ${at})`)
    if (++count > maxEntries) throw new TarError(`has more than ${maxEntries} entries`)
    const type = String.fromCharCode(header[156] ?? 0)
    const sizeText = extended.get('size')
    const sizeBytes = sizeText === undefined || type === 'x' ? number(header, 124, 12) : Number(sizeText)
    const offset = at + blockBytes
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new TarError(`has a bad size at byte ${at}`)
    if (offset + sizeBytes > size) throw new TarError(`is cut off: it ends at byte ${size}, inside an entry`)
    at = offset + Math.ceil(sizeBytes / blockBytes) * blockBytes
    if (type === 'x' || type === 'L') {
      if (sizeBytes > maxExtensionBytes) throw new TarError(`has an extended header of ${sizeBytes} bytes`)
      const bytes = await readExactly(file, offset, sizeBytes)
      if (type === 'x') extended = new Map([...extended, ...paxRecords(bytes)])
      else extended.set('path', text(bytes, 0, bytes.length))
      continue
    }
    const prefix = text(header, 345, 155)
    const plain = text(header, 0, 100)
    const isUstar = text(header, 257, 5) === 'ustar'
    const name = safeName(extended.get('path') ?? (isUstar && prefix !== '' ? `${prefix}/${plain}` : plain))
    extended = new Map()
    if ((type === '0' || type === '\0' || type === '7') && !entries.has(name)) entries.set(name, { offset, sizeBytes })
  }
  if (count === 0) throw new TarError(`is no tar file: it has ${size} bytes`)
  return entries
}

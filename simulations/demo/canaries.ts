import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomHex, silentLog } from '../../base/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { systemRandom } from '../../node/powers/index.ts'
import { unfold } from '../trials/wire/index.ts'
import type { Capture } from './tapped-tower.ts'

/** Something that is nowhere else in the world, planted in a zone. */
export interface Canary {
  readonly zone: string
  /** What it stands for. */
  readonly kind: string
  /** How a person names it: the word, or whose key it is. */
  readonly name: string
  readonly bytes: Buffer
}

/** A word nobody else writes, fit for a name, a label, a path or a line. */
export const drawWord = (): string =>
  `canary-${[...randomHex(systemRandom, 8)].map((digit) => 'abcdefghijklmnop'[Number.parseInt(digit, 16)]).join('')}`

/** One place in which a canary stands. */
export interface Sighting {
  readonly canary: Canary
  /** Fingerprint of the other end of a link, or nothing for the store. */
  readonly peer?: string
  readonly where: string
  /** How it was packed there. */
  readonly folds: readonly string[]
  /** Of the piece in which it stands. */
  readonly pieceBytes: number
}

export interface SearchResult {
  readonly sightings: readonly Sighting[]
  readonly bytes: number
  readonly pieces: number
}

/** Looks for canaries in bytes and in everything packed in them: changes, base64, hexadecimal text, gzip, zlib, zstd. */
export const createSearch = (canaries: readonly Canary[]) => {
  const sightings = new Map<string, Sighting>()
  let [bytes, pieces] = [0, 0]
  const look = (found: Uint8Array, place: { readonly where: string; readonly peer?: string }): void => {
    for (const piece of unfold(found).pieces) {
      bytes += piece.bytes.length
      pieces += 1
      const buffer = Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength)
      for (const canary of canaries) {
        if (!buffer.includes(canary.bytes)) continue
        const sighting = { canary, ...place, folds: piece.folds, pieceBytes: piece.bytes.length }
        const { zone, kind, name } = canary
        sightings.set([zone, kind, name, place.peer, place.where, piece.folds, piece.bytes.length].join(), sighting)
      }
    }
  }
  return {
    links: (captures: readonly Capture[]): void => {
      for (const { peer, direction, purpose, messages } of captures) {
        const where = `${purpose}, ${direction}`
        look(Buffer.concat(messages), { peer, where })
        // A document travels in parts, each begun by a byte that says whether it is the last.
        look(Buffer.concat(messages.map((message) => message.subarray(1))), { peer, where })
      }
    },
    /** A stopped node's folder: its store by the store's own reading, keys too, and every other file. */
    folder: async (folder: string): Promise<void> => {
      const store = createLevelStore(join(folder, 'store'), { log: silentLog })
      await store.open()
      try {
        for await (const { key, value } of store.scan({ prefix: '' })) {
          look(Buffer.from(key), { where: 'store' })
          if (value !== undefined) look(value, { where: 'store' })
        }
      } finally {
        await store.close()
      }
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        if (entry.isFile() && !path.startsWith(join(folder, 'store/'))) look(readFileSync(path), { where: 'files' })
      }
    },
    found: (): SearchResult => ({ sightings: [...sightings.values()], bytes, pieces }),
  }
}

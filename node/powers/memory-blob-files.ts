import { type Random, SkerryError } from '../../base/index.ts'
import { blobChunkBytes } from './blob-chunks.ts'
import type { BlobFiles } from './blob-files.ts'

/** A folder in memory that forgets as a disk does: for simulations and tests. */
export interface MemoryBlobDisk {
  /** One incarnation's view of the disk. After a crash the older ones can write no more. */
  files(): BlobFiles
  /**
   * A power cut: of each file everything synced stays, and of the rest any part of its beginning; a removal that no later
   * rename made sure of may not have happened.
   */
  crash(random: Random): void
  /** Takes a copy of all that is on it. @returns what puts it back in place of what is there */
  backup(): () => void
  /** Whether the next writes find no space. */
  setFull(isFull: boolean): void
  /** All bytes on it by file name: what somebody who takes the disk reads. */
  contents(): ReadonlyMap<string, Uint8Array>
  /** Changes bytes behind the back of the store, as a worn disk does. */
  spoil(name: string): void
  /** Puts bytes there as a whole file, from outside. */
  lay(name: string, bytes: Uint8Array): void
}

interface Held {
  bytes: Uint8Array
  syncedBytes: number
  changed: number
}

const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

/** @param pathOf what the store says of where a file is. @default `memory:<name>` */
export const createMemoryBlobDisk = (pathOf = (name: string) => `memory:${name}`): MemoryBlobDisk => {
  const held = new Map<string, Held>()
  const removed = new Map<string, Held>()
  let isFull = false
  let life = 0
  let changes = 0

  const filesOf = (mine: number): BlobFiles => {
    const alive = () => {
      if (mine !== life) throw new SkerryError('revoked', 'this life of the node is over')
    }
    return {
      list: () => [...held].map(([name, { bytes, changed }]) => ({ name, sizeBytes: bytes.length, changed })),
      sizeOf: (name) => held.get(name)?.bytes.length,
      pathOf,
      append: async (name) => {
        alive()
        const file = held.get(name) ?? { bytes: new Uint8Array(), syncedBytes: 0, changed: changes++ }
        held.set(name, file)
        return {
          write: async (chunk) => {
            alive()
            if (isFull) throw noSpace()
            // Not Buffer.concat: a small one is a part of a pool, and keeps all of that.
            const longer = new Uint8Array(file.bytes.length + chunk.length)
            longer.set(file.bytes)
            longer.set(chunk, file.bytes.length)
            file.bytes = longer
            file.changed = changes++
          },
          sync: async () => {
            alive()
            if (isFull) throw noSpace()
            file.syncedBytes = file.bytes.length
          },
          close: async () => {},
        }
      },
      read: async function* (name, offset) {
        const bytes = held.get(name)?.bytes
        if (bytes === undefined)
          throw Object.assign(new Error(`ENOENT: no such file, open ${name}`), { code: 'ENOENT' })
        for (let at = offset; at < bytes.length; at += blobChunkBytes) yield bytes.slice(at, at + blobChunkBytes)
      },
      rename: (from, to) => {
        alive()
        const file = held.get(from)
        if (file === undefined) throw new SkerryError('broken-invariant', `${from} is renamed and not there`)
        held.delete(from)
        held.set(to, file)
        removed.clear()
      },
      remove: (name) => {
        alive()
        const file = held.get(name)
        if (file) removed.set(name, file)
        held.delete(name)
      },
    }
  }

  return {
    files: () => filesOf(life),
    crash: (random) => {
      life++
      for (const [name, file] of removed) if (!held.has(name) && random.unit() < 0.5) held.set(name, file)
      removed.clear()
      for (const file of held.values()) {
        const keptBytes = file.syncedBytes + Math.floor((file.bytes.length - file.syncedBytes + 1) * random.unit())
        file.bytes = file.bytes.slice(0, keptBytes)
        file.syncedBytes = keptBytes
      }
    },
    backup: () => {
      const copy = [...held].map(([name, file]) => [name, { ...file }] as const)
      return () => {
        life++
        removed.clear()
        held.clear()
        for (const [name, file] of copy) held.set(name, { ...file })
      }
    },
    setFull: (full) => {
      isFull = full
    },
    contents: () => new Map([...held].map(([name, { bytes }]) => [name, bytes])),
    spoil: (name) => {
      const file = held.get(name)
      if (file) file.bytes = file.bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte))
    },
    lay: (name, bytes) => void held.set(name, { bytes, syncedBytes: bytes.length, changed: changes++ }),
  }
}

import { type Clock, type Random, SkerryError } from '../../base/index.ts'
import { createMemoryDisk, type Store, type StoreChange } from '../../crdt/index.ts'
import {
  type BlobFiles,
  type BlobStore,
  createBlobStoreOver,
  createMemoryBlobDisk,
  decodeState,
  encodeState,
  type Pins,
  type StateFile,
} from '../../node/powers/index.ts'
import { PowerRevokedError } from './incarnation.ts'

/** A write that reached the disk, or what of it the operating system holds. */
export interface DiskWrite {
  /** `state`, `store` or `blob`, and a name: `state/accepted`, `store/d/…`. */
  readonly name: string
  readonly bytes: Uint8Array | string
  /** Nothing is different on the disk after it. */
  readonly isSame: boolean
}

/** What outlives a process of one machine: small state files, a store, blobs. */
export interface Disk {
  stateFile<Value>(name: string): StateFile<Value>
  /** A store that is not open yet; one at a time has the disk open. */
  store(): Store
  blobs(random: Random): BlobStore
  /** Reads what the store that is open holds under a prefix, past the process that has it open. */
  scan(prefix: string): Promise<ReadonlyMap<string, Uint8Array>>
  setFull(isFull: boolean): void
  /** How long a synced write of the store takes; undefined takes no time. */
  setSync(delayMs: number | undefined): void
  /**
   * In the middle of the next write that is synced `crash` is called: what was begun may be there afterwards or not, and
   * nobody is told. Returns how to forget about it.
   */
  crashInWrite(crash: () => void): () => void
  /** Flips one bit of a value of the store as it lies there. False when there is none under the key. */
  flipInStore(key: string): boolean
  /** Flips one bit of a state file as it lies there. Returns how to put it back, unless it was written since. */
  flipInState(name: string): (() => void) | undefined
  /** Changes bytes of a blob as it lies there; a name as `blobs` has it, without `sha256:`. Returns how to put it back. */
  spoilBlob(hex: string): () => void
  /** What lies in the store under a prefix, as far as it was written while somebody watched. */
  peek(prefix: string): readonly Uint8Array[]
  /** Names of what is on it, in the order it was made: state files, keys of the store, blobs. */
  names(): { readonly states: readonly string[]; readonly stored: readonly string[]; readonly blobs: readonly string[] }
  /** Bytes of what is on it: names and values. */
  sizes(): { readonly statesBytes: number; readonly storeBytes: number; readonly blobsBytes: number }
  /** The process ended; with `power` also what the machine had not synced is gone, or a part of it. */
  crash(kind: 'kill' | 'power'): void
  /** Takes a copy of all that is on it; of a machine whose process has ended. @returns what puts it back in its place */
  backup(): () => void
}

export interface DiskOptions {
  /** Name of the machine, part of paths. */
  readonly machine: string
  readonly random: Random
  /** Of the machine. */
  readonly clock: Clock
  readonly onWrite: (write: DiskWrite) => void
}

/** Where a blob lies, as `pathOf` says it. */
export const blobPath = (machine: string, hex: string): string => `${machine}:${hex}`

/** What a process wrote is in the kernel, and stays there when the process alone ends. */
const keepAll: Random = { bytes: (count) => new Uint8Array(count), unit: () => 1 - 2 ** -32, fork: () => keepAll }

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0

/** @param torn asked before each synced write; what it answers is done in the middle of it */
const observeStore = (
  store: Store,
  onWrite: (write: DiskWrite, change: StoreChange) => void,
  torn: () => (() => void) | undefined,
): Store => ({
  open: store.open,
  close: store.close,
  get: store.get,
  scan: store.scan,
  write: async (batch: readonly StoreChange[], options) => {
    const crash = options.sync ? torn() : undefined
    if (crash) return tear(store.write(batch, options), crash)
    const before = await Promise.all(batch.map(({ key }) => store.get(key).catch(() => undefined)))
    await store.write(batch, options)
    for (const [at, change] of batch.entries()) {
      const bytes = change.kind === 'put' ? change.value : new Uint8Array()
      const isSame = change.kind === 'put' ? sameBytes(before[at], bytes) : before[at] === undefined
      onWrite({ name: `store/${change.key}`, bytes, isSame }, change)
    }
  },
})

/** The write begins and does not settle before the crash: its sync takes longer than anything. */
const tear = async (write: Promise<void>, crash: () => void): Promise<void> => {
  for (let turn = 0; turn < begunTurns; turn++) await Promise.resolve()
  crash()
  return write
}
/** After so many a write that has nothing to wait for has begun. */
const begunTurns = 8
const longMs = 2 ** 31

const observeFiles = (files: BlobFiles, onWrite: DiskOptions['onWrite']): BlobFiles => ({
  ...files,
  append: async (name) => {
    const writer = await files.append(name)
    const write = async (chunk: Uint8Array) => {
      await writer.write(chunk)
      onWrite({ name: `blob/${name}`, bytes: chunk, isSame: false })
    }
    return { ...writer, write }
  },
})

export const createDisk = ({ machine, random, clock, onWrite }: DiskOptions): Disk => {
  const files = new Map<string, string>()
  const kept = createMemoryDisk()
  const blobDisk = createMemoryBlobDisk((hex) => blobPath(machine, hex))
  let open: Store | undefined
  let isFull = false
  let syncMs: number | undefined
  let torn: (() => void) | undefined
  /** What was put and not deleted; a crash may have taken some that is here. */
  const stored = new Map<string, Uint8Array>()
  const wrote = (write: DiskWrite, change: StoreChange) => {
    if (change.kind === 'put') stored.set(change.key, new Uint8Array(change.value))
    else stored.delete(change.key)
    onWrite(write)
  }

  const setSync = (delayMs: number | undefined) => {
    kept.faults.slowSync = delayMs === undefined ? undefined : { clock, delayMs }
  }
  const takeTorn = () => {
    // A full disk refuses at once: there is nothing to crash in.
    if (isFull || torn === undefined) return undefined
    const crash = torn
    torn = undefined
    setSync(longMs)
    return () => {
      setSync(syncMs)
      crash()
    }
  }

  const stateFile = <Value>(name: string): StateFile<Value> => ({
    load: () => {
      const text = files.get(name)
      return text === undefined ? undefined : decodeState<Value>(`${machine}/${name}.json`, text)
    },
    save: (value: Value) => {
      if (isFull)
        throw new SkerryError(
          'disk-full',
          `cannot save ${name} on ${machine}: the disk is full; free some space and try again`,
        )
      const text = encodeState(value)
      const crash = takeTorn()
      if (crash) {
        // Written aside and renamed: the old one or the new one is there, never a part.
        if (random.unit() < 0.5) files.set(name, text)
        crash()
        throw new PowerRevokedError(name)
      }
      const isSame = files.get(name) === text
      files.set(name, text)
      onWrite({ name: `state/${name}`, bytes: text, isSame })
    },
  })

  return {
    stateFile,
    store: () => {
      const inner = kept.store()
      open = inner
      return observeStore(inner, wrote, takeTorn)
    },
    blobs: (chance) =>
      createBlobStoreOver({
        files: observeFiles(blobDisk.files(), onWrite),
        pinsFile: stateFile<Pins>('pins'),
        random: chance,
      }),
    scan: async (prefix) => {
      const found = new Map<string, Uint8Array>()
      if (open) for await (const { key, value } of open.scan({ prefix })) if (value) found.set(key, value)
      return found
    },
    setFull: (full) => {
      isFull = full
      kept.faults.isFull = full
      blobDisk.setFull(full)
    },
    setSync: (delayMs) => {
      syncMs = delayMs
      setSync(delayMs)
    },
    crashInWrite: (crash) => {
      torn = crash
      return () => {
        if (torn === crash) torn = undefined
      }
    },
    flipInStore: (key) => {
      try {
        kept.damage(key, random)
        return true
      } catch {
        return false
      }
    },
    flipInState: (name) => {
      const text = files.get(name)
      if (text === undefined) return undefined
      const bytes = Buffer.from(text)
      const at = Math.floor(random.unit() * bytes.length)
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random.unit() * 8)), at)
      const flipped = bytes.toString()
      files.set(name, flipped)
      return () => {
        if (files.get(name) === flipped) files.set(name, text)
      }
    },
    spoilBlob: (hex) => {
      const bytes = blobDisk.contents().get(hex) ?? new Uint8Array()
      blobDisk.spoil(hex)
      return () => blobDisk.lay(hex, bytes)
    },
    peek: (prefix) => [...stored].flatMap(([key, value]) => (key.startsWith(prefix) ? [value] : [])),
    names: () => ({
      states: [...files.keys()],
      stored: [...stored.keys()],
      blobs: [...blobDisk.contents().keys()],
    }),
    sizes: () => ({
      statesBytes: [...files].reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text), 0),
      storeBytes: kept.sizeBytes(),
      blobsBytes: [...blobDisk.contents()].reduce((sum, [name, bytes]) => sum + name.length + bytes.length, 0),
    }),
    backup: () => {
      const copy = new Map(files)
      const copyOfStored = new Map(stored)
      const putBack = [kept.backup(), blobDisk.backup()]
      return () => {
        files.clear()
        stored.clear()
        for (const [key, value] of copyOfStored) stored.set(key, value)
        for (const [name, text] of copy) files.set(name, text)
        for (const put of putBack) put()
        open = undefined
      }
    },
    crash: (kind) => {
      const chance = kind === 'power' ? random : keepAll
      kept.crash(chance)
      blobDisk.crash(chance)
      open = undefined
    },
  }
}

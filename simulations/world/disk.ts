import { type Random, SkerryError } from '../../base/index.ts'
import { createMemoryDisk, type Store, type StoreChange } from '../../crdt/index.ts'
import {
  type BlobFiles,
  type BlobStore,
  createBlobStoreOver,
  createMemoryBlobDisk,
  type Pins,
  type StateFile,
} from '../../node/powers/index.ts'

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
  /** The process ended; with `power` also what the machine had not synced is gone, or a part of it. */
  crash(kind: 'kill' | 'power'): void
}

export interface DiskOptions {
  /** Name of the machine, part of paths. */
  readonly machine: string
  readonly random: Random
  readonly onWrite: (write: DiskWrite) => void
}

/** Where a blob lies, as `pathOf` says it. */
export const blobPath = (machine: string, hex: string): string => `${machine}:${hex}`

/** What a process wrote is in the kernel, and stays there when the process alone ends. */
const keepAll: Random = { bytes: (count) => new Uint8Array(count), unit: () => 1 - 2 ** -32, fork: () => keepAll }

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0

const observeStore = (store: Store, onWrite: DiskOptions['onWrite']): Store => ({
  open: store.open,
  close: store.close,
  get: store.get,
  scan: store.scan,
  write: async (batch: readonly StoreChange[], options) => {
    const before = await Promise.all(batch.map(({ key }) => store.get(key).catch(() => undefined)))
    await store.write(batch, options)
    for (const [at, change] of batch.entries()) {
      const bytes = change.kind === 'put' ? change.value : new Uint8Array()
      const isSame = change.kind === 'put' ? sameBytes(before[at], bytes) : before[at] === undefined
      onWrite({ name: `store/${change.key}`, bytes, isSame })
    }
  },
})

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

export const createDisk = ({ machine, random, onWrite }: DiskOptions): Disk => {
  const files = new Map<string, string>()
  const kept = createMemoryDisk()
  const blobDisk = createMemoryBlobDisk((hex) => blobPath(machine, hex))
  let open: Store | undefined
  let isFull = false

  const stateFile = <Value>(name: string): StateFile<Value> => ({
    load: () => {
      const text = files.get(name)
      return text === undefined ? undefined : (JSON.parse(text) as Value)
    },
    save: (value: Value) => {
      if (isFull)
        throw new SkerryError(
          'disk-full',
          `cannot save ${name} on ${machine}: the disk is full; free some space and try again`,
        )
      const text = JSON.stringify(value)
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
      return observeStore(inner, onWrite)
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
    crash: (kind) => {
      const chance = kind === 'power' ? random : keepAll
      kept.crash(chance)
      blobDisk.crash(chance)
      open = undefined
    },
  }
}

import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../base/index.ts'
import { blobChunkBytes, chunked } from './blob-chunks.ts'
import { type BlobFiles, createBlobFiles } from './blob-files.ts'
import {
  type BlobBench,
  blobStoreContract,
  bytesOf,
  hexOf,
  nameOf,
  readAll,
  sameBytes,
  sourceOf,
} from './blob-store.contract.ts'
import { createBlobStore, createBlobStoreOver, type Pins } from './blob-store.ts'
import { createMemoryBlobDisk } from './memory-blob-files.ts'
import { createStateFile, type StateFile } from './state-file.ts'

const random = createSeededRandom(1)

const folderOf = (t: ExecutionContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-blobs-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

/** The real folder, but for a disk that says it is full, and write times that count instead of passing. */
const fallible = (folder: string, isFull: () => boolean): BlobFiles => {
  const files = createBlobFiles(folder)
  let writes = 0
  return {
    ...files,
    append: async (name) => {
      const writer = await files.append(name)
      return {
        ...writer,
        write: async (chunk) => {
          if (isFull()) throw noSpace()
          await writer.write(chunk)
          writes += 1
          utimesSync(join(folder, name), writes, writes)
        },
      }
    },
  }
}

const fileBench = (t: ExecutionContext): BlobBench => {
  const folder = folderOf(t)
  let isFull = false
  const files = fallible(folder, () => isFull)
  return {
    open: (limits = {}) =>
      createBlobStoreOver({ files, pinsFile: createStateFile<Pins>(join(folder, 'pins.json')), random, limits }),
    setFull: (full) => {
      isFull = full
    },
    fileNames: () =>
      readdirSync(folder)
        .filter((name) => name !== 'pins.json')
        .toSorted(),
    spoil: (name) => {
      const [file, first] = [openSync(join(folder, name), 'r+'), readFileSync(join(folder, name))[0] ?? 0]
      writeSync(file, Uint8Array.of(first ^ 1), 0, 1, 0)
      closeSync(file)
    },
  }
}

const memoryPins = (): StateFile<Pins> => {
  let saved: Pins | undefined
  return {
    load: () => saved,
    save: (value) => {
      saved = value
    },
  }
}

const memoryBench = (): BlobBench => {
  const disk = createMemoryBlobDisk()
  const pinsFile = memoryPins()
  return {
    open: (limits = {}) => createBlobStoreOver({ files: disk.files(), pinsFile, random, limits }),
    setFull: disk.setFull,
    fileNames: () => [...disk.contents().keys()].toSorted(),
    spoil: disk.spoil,
  }
}

blobStoreContract(test, 'files', fileBench)
blobStoreContract(test, 'memory', memoryBench)

test('chunks are 256 KiB however the bytes come, and what came before a failure is passed on', async (t) => {
  const pieces = fc.array(fc.integer({ min: 0, max: 3 * blobChunkBytes }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (sizes, breaks) => {
      const whole = bytesOf(sizes.reduce((sum, size) => sum + size, 0))
      const source = async function* () {
        let at = 0
        for (const size of sizes) {
          yield whole.slice(at, at + size)
          at += size
        }
        if (breaks) throw new Error('broke')
      }
      const got: Uint8Array[] = []
      const reading = (async () => {
        for await (const chunk of chunked(source())) got.push(chunk)
      })()
      if (breaks) await t.throwsAsync(reading, { message: 'broke' })
      else await reading
      sameBytes(t, Buffer.concat(got), whole)
      t.true(got.slice(0, -1).every(({ length }) => length === blobChunkBytes))
      t.true((got.at(-1)?.length ?? 1) > 0)
    }),
    { numRuns: 30 },
  )
})

test('files are for their owner alone, and an unfinished one of an earlier life is gone', async (t) => {
  const folder = join(folderOf(t), 'archives')
  const store = createBlobStore(folder, random)
  const { path } = await store.keep(sourceOf(bytesOf(10)))
  t.is(statSync(path).mode & 0o777, 0o600)
  t.is(statSync(folder).mode & 0o777, 0o700)
  writeFileSync(join(folder, 'incoming-00'), 'half')
  createBlobStore(folder, random)
  t.false(existsSync(join(folder, 'incoming-00')))
  t.true(existsSync(path))
})

test('archives that an earlier release kept are held on', async (t) => {
  const folder = folderOf(t)
  const bytes = bytesOf(1_000)
  writeFileSync(join(folder, `${hexOf(bytes)}.tar`), bytes)
  const store = createBlobStore(folder, random)
  t.deepEqual(store.names(), [nameOf(bytes)])
  sameBytes(t, await readAll(store.read(nameOf(bytes))), bytes)
})

test('pins of a newer format are refused in words, not forgotten', (t) => {
  const folder = folderOf(t)
  writeFileSync(join(folder, 'pins.json'), '{"version":2,"value":{}}')
  t.throws(() => createBlobStore(folder, random), { code: 'newer-format', message: /run a later release/ })
})

test('a power cut at any moment leaves a blob whole or not there, and the transfer can be ended', async (t) => {
  const bytes = bytesOf(2 * blobChunkBytes + 5)
  const name = nameOf(bytes)
  const seen = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const disk = createMemoryBlobDisk()
    const pinsFile = memoryPins()
    const open = () => createBlobStoreOver({ files: disk.files(), pinsFile, random })
    const chance = createSeededRandom(seed)
    const cutAfter = Math.floor(chance.unit() * 8)
    let pieces = 0
    const source = async function* (from: number) {
      for await (const piece of sourceOf(bytes.slice(from), blobChunkBytes / 2)) {
        if (pieces++ === cutAfter) disk.crash(chance)
        yield piece
      }
    }
    const before = open()
    await before.keep(source(0), name).catch(() => undefined)
    disk.crash(chance)
    const store = open()
    const heldBytes = store.sizeOf(name)
    t.true(heldBytes === undefined || heldBytes === bytes.length, `seed ${seed}`)
    const from = store.partialBytes(name)
    seen.add(heldBytes !== undefined ? 'whole' : from > 0 ? 'part' : 'nothing')
    if (heldBytes === undefined) await store.keep(sourceOf(bytes.slice(from)), name, { from })
    sameBytes(t, await readAll(store.read(name)), bytes, `seed ${seed}`)
    await t.throwsAsync(() => before.keep(sourceOf(bytes), name), { code: 'revoked' })
  }
  t.deepEqual([...seen].toSorted(), ['nothing', 'part', 'whole'])
})

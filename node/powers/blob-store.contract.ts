import { createHash } from 'node:crypto'
import type { ExecutionContext, TestFn } from 'ava'
import { SkerryError } from '../../base/index.ts'
import { blobChunkBytes } from './blob-chunks.ts'
import type { BlobLimits, BlobStore } from './blob-store.ts'

/** A disk with a blob store on it. */
export interface BlobBench {
  /** Begins a new life of the store on the same disk. */
  open(limits?: BlobLimits): BlobStore
  setFull(isFull: boolean): void
  /** Names of the files on the disk that are no pins, sorted. */
  fileNames(): readonly string[]
  /** Changes the first byte of a file behind the back of the store. */
  spoil(name: string): void
}

export const bytesOf = (sizeBytes: number, filler = 1): Uint8Array => {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) bytes[at] = at * 7 + (at >> 8) + filler
  return bytes
}
export const hexOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const nameOf = (bytes: Uint8Array): string => `sha256:${hexOf(bytes)}`

/** The bytes in pieces; after `cutAt` of them the link breaks. */
export const sourceOf = async function* (bytes: Uint8Array, pieceBytes = 100_000, cutAt = Number.POSITIVE_INFINITY) {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at >= cutAt) throw new SkerryError('link-lost', 'the link broke')
    yield bytes.slice(at, Math.min(at + pieceBytes, cutAt))
  }
  if (bytes.length >= cutAt) throw new SkerryError('link-lost', 'the link broke')
}

export const readAll = async (chunks: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array | undefined> => {
  if (chunks === undefined) return undefined
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Uint8Array.from(Buffer.concat(parts))
}

/** Compares by content alone: a difference of a million bytes is nothing to print. */
export const sameBytes = (t: ExecutionContext, found: Uint8Array | undefined, wanted: Uint8Array, words = ''): void => {
  t.true(
    found !== undefined && Buffer.from(wanted).equals(found),
    `${found?.length} of ${wanted.length} bytes ${words}`,
  )
}

/** What every blob store must hold to. @param create called once per test */
export const blobStoreContract = (test: TestFn, adapter: string, create: (t: ExecutionContext) => BlobBench): void => {
  const title = (sentence: string) => `contract blob store · ${adapter} · ${sentence}`
  const throwsCode = async (t: ExecutionContext, code: string, run: () => Promise<unknown>, message = /./) => {
    const error = await t.throwsAsync(run, { instanceOf: SkerryError, message })
    t.is((error as SkerryError | undefined)?.code, code)
  }
  const bytes = bytesOf(3 * blobChunkBytes + 17)
  const [name, hex] = [nameOf(bytes), hexOf(bytes)]

  test(title('what is kept is read back, whole and from any offset, also after a restart'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    t.is(store.pathOf(name), undefined)
    t.is(store.read(name), undefined)
    const kept = await store.keep(sourceOf(bytes))
    t.deepEqual({ ...kept, path: '' }, { archive: name, path: '', sizeBytes: bytes.length })
    t.is(store.pathOf(name), kept.path)
    t.is((await store.keep(sourceOf(bytes), name)).archive, name)
    t.is((await store.keep(sourceOf(new Uint8Array()))).sizeBytes, 0)
    for (const opened of [store, bench.open()]) {
      t.deepEqual(opened.names(), [name, nameOf(new Uint8Array())].toSorted())
      t.is(opened.sizeOf(name), bytes.length)
      sameBytes(t, await readAll(opened.read(name)), bytes)
      for (const offset of [1, blobChunkBytes, bytes.length - 1, bytes.length])
        sameBytes(t, await readAll(opened.read(name, { offset })), bytes.slice(offset))
    }
    for await (const chunk of store.read(name) ?? []) t.true(chunk.length <= blobChunkBytes)
  })

  test(title('a transfer cut at any place goes on there, in the same life and in the next'), async (t) => {
    for (const restarts of [false, true])
      for (const cutAt of [1, 100_000, blobChunkBytes, 2 * blobChunkBytes, 3 * blobChunkBytes, bytes.length]) {
        const bench = create(t)
        let store = bench.open()
        await throwsCode(t, 'link-lost', () => store.keep(sourceOf(bytes, 90_000, cutAt), name))
        t.deepEqual(bench.fileNames(), [`partial-${hex}`])
        if (restarts) store = bench.open()
        t.is(store.partialBytes(name), cutAt)
        t.is(store.pathOf(name), undefined)
        await store.keep(sourceOf(bytes.slice(cutAt)), name, { from: cutAt })
        t.deepEqual(bench.fileNames(), [hex])
        sameBytes(t, await readAll(store.read(name)), bytes)
        t.is(store.partialBytes(name), 0)
      }
  })

  test(title('a transfer that begins anew forgets what was there; one that fits nothing is refused'), async (t) => {
    const store = create(t).open()
    await throwsCode(t, 'wrong-offset', () => store.keep(sourceOf(bytes), name, { from: 5 }))
    await t.throwsAsync(() => store.keep(sourceOf(bytes, 1_000, 5_000), name))
    await throwsCode(t, 'wrong-offset', () => store.keep(sourceOf(bytes), name, { from: 4_999 }))
    t.is(store.partialBytes(name), 5_000)
    await throwsCode(t, 'invalid-id', () => store.keep(sourceOf(bytes), 'sha256:../../etc'))
    await throwsCode(t, 'invalid-id', () => store.keep(sourceOf(bytes), undefined, { from: 1 }))
    await store.keep(sourceOf(bytes), name)
    sameBytes(t, await readAll(store.read(name)), bytes)
  })

  test(title('bytes of another name are refused and dropped, also what was resumed'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    const other = bytesOf(bytes.length, 2)
    await throwsCode(t, 'digest-mismatch', () => store.keep(sourceOf(other), name), /arrived damaged/)
    t.deepEqual(bench.fileNames(), [])
    await t.throwsAsync(() => store.keep(sourceOf(other, 1_000, 5_000), name))
    await throwsCode(t, 'digest-mismatch', () => store.keep(sourceOf(bytes.slice(5_000)), name, { from: 5_000 }))
    t.deepEqual(bench.fileNames(), [])
    await store.keep(sourceOf(bytes), name)
  })

  test(title('without a name to go on under, a broken transfer leaves nothing'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    await throwsCode(t, 'link-lost', () => store.keep(sourceOf(bytes, 1_000, 5_000)))
    t.deepEqual(bench.fileNames(), [])
  })

  test(title('a full disk is said in words, nothing is half kept, and with room it works again'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    const small = bytesOf(10)
    await store.keep(sourceOf(small))
    const filling = async function* () {
      yield* sourceOf(bytes.slice(0, blobChunkBytes))
      bench.setFull(true)
      yield* sourceOf(bytes.slice(blobChunkBytes))
    }
    for (const expected of [name, undefined]) {
      bench.setFull(false)
      await throwsCode(t, 'disk-full', () => store.keep(filling(), expected), /the disk is full; free some space/)
      t.deepEqual(bench.fileNames(), [hexOf(small)])
    }
    bench.setFull(false)
    await store.keep(sourceOf(bytes), name)
    sameBytes(t, await readAll(store.read(name)), bytes)
    sameBytes(t, await readAll(store.read(nameOf(small))), small)
  })

  test(title('what is pinned is not dropped before the last pin goes, also after a restart'), async (t) => {
    const bench = create(t)
    let store = bench.open()
    const other = nameOf(bytesOf(5))
    t.throws(() => store.pin(name, 'shop'), { code: 'not-held' })
    await store.keep(sourceOf(bytes))
    t.throws(() => store.pin([name, other], 'shop'), { code: 'not-held' })
    t.is(store.pins().size, 0)
    await store.keep(sourceOf(bytesOf(5)))
    store.pin([name, other], 'shop')
    store.pin(name, 'mail')
    store.pin(name, 'mail')
    for (const life of [store, bench.open()]) {
      store = life
      const expected: [string, string[]][] = [
        [name, ['mail', 'shop']],
        [other, ['shop']],
      ]
      t.deepEqual(
        [...store.pins()],
        expected.toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
      t.false(store.drop(name))
      t.truthy(store.pathOf(name))
    }
    store.unpin('shop')
    t.true(store.drop(other))
    t.false(store.drop(name))
    store.unpin('mail')
    store.unpin('nobody')
    t.true(store.drop(name))
    t.true(store.drop(name))
    t.true(store.drop('not a name'))
    t.deepEqual([store.names(), [...store.pins()]], [[], []])
  })

  test(title('what broken transfers leave is bounded in number and in bytes, the oldest going first'), async (t) => {
    const bench = create(t)
    const limits = { partials: 3, partialBytes: 10_000 }
    const store = bench.open(limits)
    const partial = async (filler: number, sizeBytes: number) => {
      const whole = bytesOf(20_000, filler)
      await t.throwsAsync(() => store.keep(sourceOf(whole, sizeBytes, sizeBytes), nameOf(whole)))
      return `partial-${hexOf(whole)}`
    }
    const left: string[] = []
    for (const filler of [1, 2, 3, 4, 5]) left.push(await partial(filler, 1_000))
    t.deepEqual(bench.fileNames(), left.slice(2).toSorted())
    const large = await partial(6, 9_500)
    t.deepEqual(bench.fileNames(), [large])
    t.is(await partial(7, 10_001).then(() => bench.fileNames().length), 0)
    await partial(8, 3_000)
    await partial(9, 3_000)
    bench.open({ partials: 1 })
    t.is(bench.fileNames().length, 1)
  })

  test(title('two transfers of one blob at once do not disturb each other'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    const [first, second] = await Promise.all([
      store.keep(sourceOf(bytes, 1_000), name),
      store.keep(sourceOf(bytes, 70_000), name),
    ])
    t.deepEqual(first, second)
    t.deepEqual(bench.fileNames(), [hex])
    sameBytes(t, await readAll(store.read(name)), bytes)
  })

  test(title('a blob that the disk spoiled is not handed out as whole, and can be fetched again'), async (t) => {
    const bench = create(t)
    const store = bench.open()
    await store.keep(sourceOf(bytes))
    store.pin(name, 'shop')
    bench.spoil(hex)
    await throwsCode(t, 'damaged-blob', async () => readAll(store.read(name)), /has to be fetched again/)
    t.is(store.pathOf(name), undefined)
    await store.keep(sourceOf(bytes), name)
    t.false(store.drop(name))
    sameBytes(t, await readAll(store.read(name)), bytes)
  })
}

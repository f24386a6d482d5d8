import type { ExecutionContext, TestFn } from 'ava'
import type { Store, StoreChange, StoreEntry } from './store.ts'
import { StoreError, type StoreErrorCode } from './store-error.ts'

/** One disk, and what the tests do to it behind the back of a store. */
export interface StoreWorld {
  /** A store over the disk of this test, not open yet. */
  store(): Store
  /** Flips a bit of the value kept under a key, while no store is open. */
  damage(key: string): Promise<void>
  /** Makes the disk one that a program of this format left, while no store is open. */
  setFormat(format: number): Promise<void>
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)
export const put = (key: string, text: string): StoreChange => ({ kind: 'put', key, value: bytesOf(text) })
export const remove = (key: string): StoreChange => ({ kind: 'delete', key })
const synced = { sync: true } as const
const unsynced = { sync: false } as const

/** What is there, as `key=text` lines. */
export const listStore = async (store: Store, range: Parameters<Store['scan']>[0] = { prefix: '' }) => {
  const lines: string[] = []
  for await (const { key, value } of store.scan(range)) lines.push(`${key}=${textOf(value) ?? 'damaged'}`)
  return lines
}

/** What every Store must hold to. @param createWorld called once per test; what it makes it must also tear down */
export const storeContract = (
  test: TestFn,
  adapter: string,
  createWorld: (t: ExecutionContext) => Promise<StoreWorld>,
): void => {
  const title = (sentence: string) => `contract store · ${adapter} · ${sentence}`
  const throwsCode = async (t: ExecutionContext, code: StoreErrorCode, run: () => Promise<unknown>) => {
    const error = await t.throwsAsync(run, { instanceOf: StoreError })
    t.is((error as StoreError | undefined)?.code, code)
    return error?.message ?? ''
  }
  const opened = async (t: ExecutionContext, { store }: StoreWorld) => {
    const one = store()
    await one.open()
    t.teardown(() => one.close())
    return one
  }

  test(title('what is written is there, also after closing and opening again'), async (t) => {
    const world = await createWorld(t)
    const first = await opened(t, world)
    await first.write([put('a', 'one'), put('b', 'two')], synced)
    await first.write([put('a', 'three'), remove('b'), put('c', '')], unsynced)
    t.deepEqual(await listStore(first), ['a=three', 'c='])
    await first.close()
    const second = await opened(t, world)
    t.is(textOf(await second.get('a')), 'three')
    t.is(await second.get('b'), undefined)
    t.is((await second.get('c'))?.length, 0)
    t.deepEqual(await listStore(second), ['a=three', 'c='])
  })

  test(title('changes of a batch act in their order'), async (t) => {
    const store = await opened(t, await createWorld(t))
    await store.write([put('a', '1'), remove('a'), put('b', '1'), put('b', '2'), remove('c'), put('c', '3')], synced)
    t.deepEqual(await listStore(store), ['b=2', 'c=3'])
    await store.write([], synced)
    t.deepEqual(await listStore(store), ['b=2', 'c=3'])
  })

  test(title('batches act in the order of the calls, and a synced one is after all before it'), async (t) => {
    const store = await opened(t, await createWorld(t))
    const calls = Array.from({ length: 200 }, (_, at) =>
      store.write([put('last', `${at}`), put(`n/${`${at}`.padStart(3, '0')}`, `${at}`)], { sync: at % 7 === 0 }),
    )
    await calls[196]
    const before = await listStore(store, { prefix: 'n/' })
    t.true(before.length >= 197)
    await Promise.all(calls)
    t.is(textOf(await store.get('last')), '199')
    t.is((await listStore(store, { prefix: 'n/' })).length, 200)
  })

  test(title('a scan gives the keys under a prefix, in order, after one and at most so many'), async (t) => {
    const store = await opened(t, await createWorld(t))
    await store.write(
      ['b/2', 'b/10', 'a/1', 'b', 'b/1', 'c/1', 'b/'].map((key) => put(key, key)),
      unsynced,
    )
    const keys = async (range: Parameters<Store['scan']>[0]) =>
      (await listStore(store, range)).map((line) => line.split('=')[0])
    t.deepEqual(await keys({ prefix: '' }), ['a/1', 'b', 'b/', 'b/1', 'b/10', 'b/2', 'c/1'])
    t.deepEqual(await keys({ prefix: 'b/' }), ['b/', 'b/1', 'b/10', 'b/2'])
    t.deepEqual(await keys({ prefix: 'b/', after: 'b/1' }), ['b/10', 'b/2'])
    t.deepEqual(await keys({ prefix: 'b/', after: 'b/15' }), ['b/2'])
    t.deepEqual(await keys({ prefix: 'b/', after: 'a' }), ['b/', 'b/1', 'b/10', 'b/2'])
    t.deepEqual(await keys({ prefix: 'b/', after: 'c' }), [])
    t.deepEqual(await keys({ prefix: 'b/', limit: 2 }), ['b/', 'b/1'])
    t.deepEqual(await keys({ prefix: 'b/', limit: 0 }), [])
    t.deepEqual(await keys({ prefix: 'd' }), [])
  })

  test(title('a long scan goes on while others write'), async (t) => {
    const store = await opened(t, await createWorld(t))
    const count = 1_700
    const name = (at: number) => `k/${`${at}`.padStart(5, '0')}`
    await store.write(
      Array.from({ length: count }, (_, at) => put(name(at), `${at}`)),
      unsynced,
    )
    const seen: StoreEntry[] = []
    for await (const entry of store.scan({ prefix: 'k/' })) {
      if (seen.length % 100 === 0) await store.write([put(`other/${seen.length}`, 'x')], synced)
      seen.push(entry)
    }
    t.deepEqual(
      seen.map(({ key, value }) => `${key}=${textOf(value)}`),
      Array.from({ length: count }, (_, at) => `${name(at)}=${at}`),
    )
    t.is((await listStore(store, { prefix: 'other/' })).length, 17)
    // A reader may stop early.
    for await (const { key } of store.scan({ prefix: 'k/' })) if (key === name(3)) break
    t.is((await listStore(store, { prefix: 'k/', after: name(1_698) })).length, 1)
  })

  test(title('buffers stay the callers own'), async (t) => {
    const store = await opened(t, await createWorld(t))
    const value = bytesOf('as it was')
    await store.write([{ kind: 'put', key: 'a', value }], synced)
    value.fill(0)
    const read = await store.get('a')
    t.is(textOf(read), 'as it was')
    read?.fill(0)
    t.is(textOf(await store.get('a')), 'as it was')
    for await (const { value: scanned } of store.scan({ prefix: 'a' })) scanned?.fill(0)
    t.is(textOf(await store.get('a')), 'as it was')
  })

  test(title('a value of a few MiB comes back whole'), async (t) => {
    const world = await createWorld(t)
    const store = await opened(t, world)
    const value = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, at) => (at * 7) % 251)
    await store.write([{ kind: 'put', key: 'large', value }, put('small', 'x')], synced)
    await store.close()
    const again = await opened(t, world)
    t.true(Buffer.from((await again.get('large')) ?? []).equals(value))
  })

  test(title('a damaged value is never handed out, and does not hide the others'), async (t) => {
    const world = await createWorld(t)
    const store = await opened(t, world)
    await store.write([put('a', 'one'), put('b', 'two'), put('c', 'three')], synced)
    await store.close()
    await world.damage('b')
    const again = await opened(t, world)
    t.regex(await throwsCode(t, 'damaged-value', () => again.get('b')), /\bb is damaged/)
    t.deepEqual(await listStore(again), ['a=one', 'b=damaged', 'c=three'])
    await again.write([put('b', 'new')], synced)
    t.is(textOf(await again.get('b')), 'new')
  })

  test(title('a store of a newer format is refused in words and left as it is'), async (t) => {
    const world = await createWorld(t)
    const store = await opened(t, world)
    await store.write([put('a', 'one')], synced)
    await store.close()
    await world.setFormat(2)
    const refused = world.store()
    const words = await throwsCode(t, 'newer-format', () => refused.open())
    t.regex(words, /format 2, newer than 1: update this node/)
    await world.setFormat(1)
    t.deepEqual(await listStore(await opened(t, world)), ['a=one'])
  })

  test(title('one at a time has it open'), async (t) => {
    const world = await createWorld(t)
    const first = await opened(t, world)
    const second = world.store()
    await throwsCode(t, 'already-open', () => second.open())
    await throwsCode(t, 'already-open', () => first.open())
    await first.write([put('a', 'one')], synced)
    await first.close()
    await first.close()
    await second.open()
    t.teardown(() => second.close())
    t.deepEqual(await listStore(second), ['a=one'])
  })

  test(title('a store that is not open says so'), async (t) => {
    const world = await createWorld(t)
    const store = world.store()
    const calls = [
      () => store.get('a'),
      () => listStore(store),
      () => store.write([put('a', 'x')], synced),
      () => store.write([put('a', 'x')], unsynced),
    ]
    for (const call of calls) await throwsCode(t, 'not-open', call)
    await store.open()
    await store.close()
    for (const call of calls) await throwsCode(t, 'not-open', call)
    await store.open()
    await store.write([put('a', 'x')], synced)
    await store.close()
  })

  test(title('keys are printable ASCII, and its own is not written'), async (t) => {
    const store = await opened(t, await createWorld(t))
    for (const key of ['', 'ä', 'a\n', 'format', 'x'.repeat(513)])
      await t.throwsAsync(() => store.write([put('good', 'x'), put(key, 'x')], synced), { instanceOf: RangeError })
    t.deepEqual(await listStore(store), [])
    t.is(await store.get('format'), undefined)
  })
}

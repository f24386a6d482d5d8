import type { Log } from '../../../base/index.ts'
import {
  type AuthorityPowers,
  type Deposit,
  depositKind,
  fromHex,
  type KeyId,
  keyIdOf,
  readRecord,
  type SignedRecord,
  type Store,
} from '../../../crdt/index.ts'
import { type DepositDesk, judgeDeposit } from './judge-deposit.ts'
import type { LeaveAnswer } from './sibling-messages.ts'

/** Bounds of what one host keeps for others, whatever is left with it. */
export const shelfLimits = {
  /** Hosts of other sites, times aggregators that leave something for each. */
  deposits: 64,
  bytes: 8 * 2 ** 20,
} as const
export type ShelfLimits = { readonly [Name in keyof typeof shelfLimits]: number }

/** A deposit as it is handed to its reader. */
export interface KeptDeposit {
  readonly record: Uint8Array
  readonly sealed: Uint8Array
}

/** Deposits kept for hosts of other sites, on disk. Nothing of it can be read here. */
export interface DepositShelf {
  /**
   * Keeps a deposit, on disk when it resolves. The newest of one depositor for one reader replaces the one before.
   * @returns a refusal in words for what is not to be kept at all
   * @throws {StoreError} as the store
   */
  leave(
    bytes: KeptDeposit,
    desk: DepositDesk,
  ): Promise<Omit<LeaveAnswer, 'v'> | { readonly code: string; readonly message: string }>
  /** Drops what a depositor left for others than these readers. */
  keepOnly(depositor: KeyId, readers: ReadonlySet<string>): Promise<void>
  /** Drops what is for blocked hosts and sites, and what no key of the zone vouches for any more. */
  prune(desk: DepositDesk): Promise<void>
  /** What is kept for a host, of every depositor. */
  of(reader: string): Promise<readonly KeptDeposit[]>
}

const shelfFormat = 1
const prefix = 'deposit/'
const headPrefix = `${prefix}head/`
const keyOf = (part: 'head' | 'body', { reader, depositor }: { readonly reader: string; readonly depositor: KeyId }) =>
  `${prefix}${part}/${reader}/${depositor}`

interface Head {
  readonly reader: string
  readonly depositor: KeyId
  readonly record: SignedRecord<Deposit>
  readonly sizeBytes: number
}

/** Version (1), size of the sealed bytes (4, big-endian), record. */
const encodeHead = ({ record, sizeBytes }: Pick<Head, 'record' | 'sizeBytes'>): Uint8Array => {
  const head = Buffer.alloc(5)
  head.writeUInt8(shelfFormat)
  head.writeUInt32BE(sizeBytes, 1)
  return Uint8Array.from(Buffer.concat([head, record.bytes]))
}

/** @param options.limits @default shelfLimits */
export const createDepositShelf = (options: {
  readonly store: Store
  readonly powers: AuthorityPowers
  readonly log: Log
  readonly limits?: ShelfLimits
}): DepositShelf => {
  const { store, powers, log, limits = shelfLimits } = options
  let loading: Promise<Map<string, Head>> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  const load = async (): Promise<Map<string, Head>> => {
    const heads = new Map<string, Head>()
    for await (const { key, value } of store.scan({ prefix: headPrefix })) {
      const [reader = '', depositor = ''] = key.slice(headPrefix.length).split('/')
      const read = value?.[0] === shelfFormat ? readRecord(depositKind, value.slice(5), powers) : undefined
      // What is damaged, or of a newer program, stands in nobody's way: its place is written anew.
      if (value === undefined || read?.ok !== true) continue
      const sizeBytes = new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(1)
      heads.set(key, { reader, depositor, record: read.record, sizeBytes })
    }
    return heads
  }
  const heads = (): Promise<Map<string, Head>> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  const drop = async (some: readonly Head[], why: string): Promise<void> => {
    if (some.length === 0) return
    const held = await heads()
    const keys = some.flatMap((head) => [keyOf('head', head), keyOf('body', head)])
    await store.write(
      keys.map((key) => ({ kind: 'delete', key }) as const),
      { sync: false },
    )
    for (const head of some) held.delete(keyOf('head', head))
    log.info('dropped deposits of siblings', { deposits: some.length, why })
  }

  return {
    leave: (bytes, desk) =>
      inTurn(async () => {
        const judged = judgeDeposit(bytes, desk, powers)
        if (!judged.ok) return judged
        const { record, depositor } = judged
        const { reader, number } = record.body
        const at = { reader, depositor }
        const held = await heads()
        const before = held.get(keyOf('head', at))
        if (before !== undefined && before.record.body.number > number)
          return { result: 'older', number: before.record.body.number }
        if (before?.record.id === record.id) return { result: 'known', number }
        const others = [...held.values()].filter((head) => head !== before)
        const usedBytes = others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        if (others.length >= limits.deposits || usedBytes + bytes.sealed.length > limits.bytes)
          return { result: 'full', number: before?.record.body.number ?? 0 }
        const head = { ...at, record, sizeBytes: bytes.sealed.length }
        await store.write(
          [
            { kind: 'put', key: keyOf('head', at), value: encodeHead(head) },
            { kind: 'put', key: keyOf('body', at), value: bytes.sealed },
          ],
          { sync: true },
        )
        held.set(keyOf('head', at), head)
        return { result: 'kept', number }
      }),
    keepOnly: (depositor, readers) =>
      inTurn(async () => {
        const surplus = [...(await heads()).values()].filter(
          (one) => one.depositor === depositor && !readers.has(one.reader),
        )
        await drop(surplus, 'their parent leaves them elsewhere')
      }),
    prune: ({ zone, blocked }) =>
      inTurn(async () => {
        if (zone === undefined) return
        const bad = [...(await heads()).values()].filter(
          ({ reader, depositor, record: { body } }) =>
            body.zone !== zone.id ||
            !zone.keys.has(depositor) ||
            blocked.keys.has(depositor) ||
            blocked.sites.has(body.site) ||
            blocked.keys.has(keyIdOf(fromHex(reader), powers.hash)),
        )
        await drop(bad, 'they are for blocked hosts, or nobody vouches for them any more')
      }),
    of: (reader) =>
      inTurn(async () => {
        const found: KeptDeposit[] = []
        for (const head of (await heads()).values()) {
          if (head.reader !== reader) continue
          const sealed = await store.get(keyOf('body', head)).catch(() => undefined)
          if (sealed !== undefined) found.push({ record: head.record.bytes, sealed })
        }
        return found
      }),
  }
}

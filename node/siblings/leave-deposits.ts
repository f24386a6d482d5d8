import {
  type Clock,
  canonicalJson,
  errorText,
  type Log,
  type Random,
  type ScopePath,
  SkerryError,
  type Timer,
} from '../../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type BookKind,
  type Documents,
  depositKind,
  fromHex,
  type Sealing,
  type Signer,
  type Store,
  sealRecord,
  toHex,
} from '../../crdt/index.ts'
import type { LinkAnswer } from '../links/index.ts'
import { createRounds } from '../rounds.ts'
import type { Membership, SiteDeposits } from '../services/membership/index.ts'
import { packDeposit, readLeaveAnswer, siblingFormat, siblingLimits, writeDeposit } from '../services/siblings/index.ts'
import { within } from './sibling-link.ts'

/** Changes closer together than this are left in one deposit. */
const gatherMs = 1_000
/** What could not be left is tried again after so long, in milliseconds. */
const retryMs = 30_000
/** A sibling that takes longer to answer is left alone for `retryMs`: it may be stopped, and others must not wait for it. */
const answerWithinMs = 5_000
/** Sites that are worked for at one time. */
const sitesAtOnce = 8
/** Of zones with more sites what was left is not logged site by site. */
const mostLines = 32
/** Records that change what a site has to know to judge its lanes. A beacon does not: its site takes the one it has. */
const weighty: ReadonlySet<BookKind> = new Set(['root', 'key-list', 'block-list', 'delegation', 'verdict'])
const keptFormat = 1
const prefix = 'deposited/'

/** What a parent keeps of the deposits of one site. */
interface Left {
  readonly v: typeof keptFormat
  /** Counts the contents that were left. */
  readonly number: number
  /** Of that content. */
  readonly digest: string
  /** Numbers that siblings took, by `<sibling> <reader>`. */
  readonly at: Readonly<Record<string, number>>
}
const nothingLeft: Left = { v: keptFormat, number: 0, digest: '', at: {} }

export interface DepositLeaverOptions {
  readonly networkId: string
  readonly scope: ScopePath
  readonly signer: Signer
  readonly powers: AuthorityPowers
  readonly sealing: Sealing
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  /** Keys under `deposited/` are used. */
  readonly store: Store
  readonly documents: Documents
  readonly book: Book
  readonly membership: Pick<Membership, 'depositsOf'>
  /** Scopes of the sites right below. */
  readonly sites: () => readonly string[]
  /** Whether a host is linked now, by its key. */
  readonly isLinked: (key: string) => boolean
  /** Says something to a linked host. @throws {SkerryError} its refusal, or that it is away */
  readonly tell: (key: string, message: unknown, signal: AbortSignal) => Promise<LinkAnswer>
}

/** A tower or an aggregator as the one that leaves deposits (DESIGN.md section 3, siblings). */
export interface DepositLeaver {
  start(): void
  stop(): Promise<void>
  /** A host was linked, with this key: what is owed to it is left now. */
  linked(key: string): void
  /** Sites whose deposits are not all where they should be, or may say something old. */
  owed(): readonly string[]
}

export const createDepositLeaver = (options: DepositLeaverOptions): DepositLeaver => {
  const { scope, documents, book, membership, store, powers, log, clock } = options
  const dirty = new Set<string>()
  const owed = new Set<string>()
  /** The last word to a sibling of whose deposits it should keep. */
  const keeps = new Map<string, string>()
  const failed = new Map<string, string>()
  const slowUntilMs = new Map<string, number>()
  /** Work on a site, at most one at a time for each. */
  const working = new Map<string, Promise<void>>()
  let timer: Timer | undefined
  let retry: Timer | undefined
  let isStopped = false
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  let isRunning = false
  /** Whether any site here has siblings: where none has, nothing of this costs anything. */
  let isInUse = false

  const hasSiblings = (site: string): boolean => {
    const { siblings = [], readers = [] } = membership.depositsOf(site) ?? {}
    return siblings.length > 0 && readers.length > 0
  }

  const lanesOf = (site: string): readonly string[] =>
    [
      documents.idOf({ kind: 'member', scope: site as ScopePath }),
      ...book
        .tenants()
        .map(({ id }) => documents.idOf({ kind: 'intent', scope: site as ScopePath, tenant: id, owner: scope })),
    ].flatMap((id) => id ?? [])

  /** Changes whenever the content of a deposit would say something else. */
  const digestOf = (site: string, { readers, zone }: SiteDeposits): string => {
    const records = book.recordsFor(site).filter(({ kind }) => weighty.has(kind))
    const heads = lanesOf(site).map((id) => [documents.epochOf(id)?.id ?? '', documents.summaryOf(id)?.heads ?? []])
    const text = canonicalJson([zone, records.map(({ id }) => id), heads, readers.map((one) => ({ ...one }))] as never)
    return toHex(powers.hash.sha256(Buffer.from(text)))
  }

  /** Signed versions that the entries of a lane name. */
  const versionsOf = async (document: string): Promise<readonly Uint8Array[]> => {
    const view = await documents.view(document)
    const named = [...(view?.entries.values() ?? [])].flat().flatMap(({ version }) => version ?? [])
    return [...new Set(named)].flatMap((id) => book.version(id)?.bytes ?? [])
  }

  const contentOf = async (site: string): Promise<Uint8Array | undefined> => {
    const lanes = []
    const versions: Uint8Array[] = []
    for (const document of lanesOf(site)) {
      const genesis = await documents.genesisOf(document)
      if (genesis === undefined) continue
      const envelopes = await documents.envelopes(document, new Set(await documents.hashes(document)))
      const base = await documents.baseOf(document)
      lanes.push({ document, genesis, ...(base && { base }), envelopes })
      versions.push(...(await versionsOf(document)))
    }
    const records = book.recordsFor(site).map(({ bytes }) => bytes)
    const packed = packDeposit(records, versions, lanes)
    return packed && writeDeposit(packed)
  }

  const keyOf = ({ site }: SiteDeposits) => `${prefix}${site}`
  const load = async (deposits: SiteDeposits): Promise<Left> => {
    const value = await store.get(keyOf(deposits)).catch(() => undefined)
    if (value === undefined) return nothingLeft
    try {
      const read = JSON.parse(Buffer.from(value).toString()) as Left
      return read.v === keptFormat ? read : nothingLeft
    } catch {
      return nothingLeft
    }
  }
  const save = (deposits: SiteDeposits, left: Left, sync: boolean): Promise<void> =>
    store.write([{ kind: 'put', key: keyOf(deposits), value: Buffer.from(canonicalJson(left as never)) }], { sync })

  /** Once for each sibling and reason: it is tried again for as long as it takes. */
  const note = (sibling: string, why: string): void => {
    if (failed.get(sibling) === why) return
    failed.set(sibling, why)
    log.info('a deposit could not be left', { sibling: sibling.slice(0, 16), why })
  }

  const isSlow = (sibling: string): boolean => (slowUntilMs.get(sibling) ?? 0) > clock.monotonicMs()
  const tell = async (sibling: string, message: unknown): Promise<LinkAnswer> => {
    try {
      const asked = within(clock, answerWithinMs, 'the answer', (signal) => options.tell(sibling, message, signal))
      return await Promise.race([asked, stopped.promise])
    } catch (error) {
      if (error instanceof SkerryError && error.code === 'too-slow')
        slowUntilMs.set(sibling, clock.monotonicMs() + retryMs)
      throw error
    }
  }

  const leaveOne = async (
    deposits: SiteDeposits,
    content: Uint8Array,
    number: number,
    { sibling, reader }: { readonly sibling: string; readonly reader: SiteDeposits['readers'][number] },
  ): Promise<number | undefined> => {
    const { networkId, sealing, random, signer } = options
    const context = { networkId, use: 'sibling-deposit' } as const
    const sealed = sealing.seal(content, fromHex(reader.sealing), context, random.bytes(32))
    const { zone, site } = deposits
    const hash = toHex(powers.hash.sha256(sealed))
    const body = { network: networkId, zone, site, reader: reader.key, number, sealed: hash }
    const record = sealRecord(depositKind, body, [signer], powers)
    const { head } = await tell(sibling, {
      v: siblingFormat,
      kind: 'leave',
      record: Buffer.from(record.bytes).toString('base64'),
      sealed: Buffer.from(sealed).toString('base64'),
    })
    const answer = readLeaveAnswer(head)
    if (answer === undefined) throw new RangeError('the sibling answered with something else')
    if (answer.result === 'older') return answer.number
    if (answer.result === 'full') note(sibling, 'it has no room for more')
    else failed.delete(sibling)
    return answer.result === 'full' ? undefined : number
  }

  const leaveSite = async (site: string): Promise<void> => {
    const deposits = membership.depositsOf(site)
    if (deposits === undefined) return
    isInUse = true
    if (deposits.readers.length === 0) return
    let left = await load(deposits)
    const digest = digestOf(site, deposits)
    if (left.digest !== digest) {
      left = { ...left, digest, number: left.number + 1 }
      // Before anything of that number leaves: it must not stand for two contents.
      await save(deposits, left, true)
    }
    const due = deposits.siblings.flatMap((sibling) =>
      deposits.readers.flatMap((reader) =>
        left.at[`${sibling} ${reader.key}`] === left.number
          ? []
          : [{ sibling, reader, at: `${sibling} ${reader.key}` }],
      ),
    )
    if (due.length === 0) return
    owed.add(site)
    const now = due.filter(({ sibling }) => options.isLinked(sibling) && !isSlow(sibling))
    if (now.length === 0) return
    const content = await contentOf(site)
    if (content === undefined) {
      log.warn('what a site has to know has no room in a deposit: siblings keep nothing for it', { site })
      return
    }
    let highest = left.number
    const at: Record<string, number> = {}
    const leaveAt = async (one: (typeof now)[number]): Promise<void> => {
      try {
        const taken = await leaveOne(deposits, content, left.number, one)
        if (taken === left.number) at[one.at] = taken
        highest = Math.max(highest, taken ?? 0)
      } catch (error) {
        note(one.sibling, errorText(error))
      }
    }
    // One after the other at each sibling, and no sibling waits for another.
    const bySibling = [...Map.groupBy(now, ({ sibling }) => sibling).values()]
    await Promise.all(
      bySibling.map(async (some) => {
        for (const one of some) if (!isSlow(one.sibling)) await leaveAt(one)
      }),
    )
    if (highest > left.number) {
      // This node lost what it counted: it goes on above what was left before.
      await save(deposits, { ...left, number: highest, digest: '' }, true)
      dirty.add(site)
      return
    }
    const chosen = new Set(
      deposits.siblings.flatMap((sibling) => deposits.readers.map(({ key }) => `${sibling} ${key}`)),
    )
    const kept = Object.entries({ ...left.at, ...at }).filter(([place]) => chosen.has(place))
    await save(deposits, { ...left, at: Object.fromEntries(kept) }, false)
    if (due.some((one) => at[one.at] === undefined)) return
    owed.delete(site)
    const words = { site, number: left.number, siblings: deposits.siblings.length }
    if (options.sites().length <= mostLines) log.info('left what a site may need with siblings', words)
    else log.debug('left what a site may need with siblings', words)
  }

  /** Tells linked siblings whose deposits they are to keep: others lie elsewhere now, or are of hosts that are gone. */
  const tellKeeps = async (): Promise<void> => {
    const readers = new Map<string, string[]>()
    for (const site of options.sites()) {
      const deposits = membership.depositsOf(site)
      for (const sibling of deposits?.siblings ?? [])
        readers.set(sibling, [...(readers.get(sibling) ?? []), ...(deposits?.readers ?? []).map(({ key }) => key)])
    }
    for (const sibling of keeps.keys()) if (!readers.has(sibling)) readers.set(sibling, [])
    for (const [sibling, keys] of readers) {
      const wanted = keys.toSorted().slice(0, siblingLimits.readers)
      const text = wanted.join()
      if (!options.isLinked(sibling) || keeps.get(sibling) === text) continue
      try {
        await tell(sibling, { v: siblingFormat, kind: 'keep', readers: wanted })
        keeps.set(sibling, text)
      } catch (error) {
        note(sibling, errorText(error))
      }
    }
  }

  const keepTold = createRounds(async () => {
    if (!isStopped && isInUse) await tellKeeps()
  })

  const later = (afterMs: number): void => {
    if (isStopped || !isRunning) return
    timer ??= clock.setTimer(afterMs, () => {
      timer = undefined
      pump()
    })
  }
  const work = async (site: string): Promise<void> => {
    dirty.delete(site)
    await leaveSite(site).catch((error: unknown) => {
      owed.add(site)
      log.warn('deposits of a site could not be left', { site, error: errorText(error) })
    })
    working.delete(site)
    pump()
  }
  /** Works for sites that need it; when all is done, what is owed to hosts that are linked is tried again after a while. */
  const pump = (): void => {
    for (const site of [...dirty]) {
      if (isStopped || working.size >= sitesAtOnce) return
      if (!working.has(site)) working.set(site, work(site))
    }
    if (isStopped || working.size > 0) return
    void keepTold()
    const again = [...owed].filter((site) => membership.depositsOf(site)?.siblings.some(options.isLinked))
    if (again.length > 0 && again.every((site) => !dirty.has(site))) {
      retry ??= clock.setTimer(retryMs, () => {
        retry = undefined
        touch(again)
      })
    }
  }
  const touch = (sites: Iterable<string>): void => {
    for (const site of sites) dirty.add(site)
    if (dirty.size > 0) later(gatherMs)
  }

  const stops = [
    documents.onChange(({ documentId }) => {
      const lane = documents.epochOf(documentId)?.lane
      if (lane === undefined || (lane.kind !== 'member' && lane.kind !== 'intent')) return
      if (lane.kind === 'intent' && lane.owner !== scope) return
      touch([lane.scope])
    }),
    book.onChange((records) => {
      if (records.some(({ kind }) => weighty.has(kind))) touch(options.sites())
    }),
  ]

  return {
    start: () => {
      isRunning = true
      touch(options.sites())
    },
    stop: async () => {
      isStopped = true
      stopped.reject(new SkerryError('stopped', 'this node stops'))
      timer?.cancel()
      retry?.cancel()
      for (const stop of stops) stop()
      await Promise.all([...working.values(), keepTold()])
    },
    linked: (key) => {
      // A sibling that starts anew keeps what it kept, and is told again what it should.
      slowUntilMs.delete(key)
      if (keeps.delete(key)) later(gatherMs)
      touch([...owed].filter((site) => membership.depositsOf(site)?.siblings.includes(key)))
    },
    owed: () => [...new Set([...owed, ...dirty, ...working.keys()])].filter(hasSiblings).toSorted(),
  }
}

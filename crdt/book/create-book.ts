import type { Log } from '../../base/index.ts'
import {
  type Anchors,
  type AuthorityPowers,
  fromHex,
  type KeyId,
  keyIdOf,
  type Owner,
  ownerOf,
} from '../authority/index.ts'
import type { Store, StoreChange } from '../store/index.ts'
import type { Book, BookRecord, BookRefusal, BookResult } from './book.ts'
import { BookError } from './book-error.ts'
import { readBookRecord, type SignedBookRecord, sketchOf } from './book-record.ts'
import {
  type BookLimits,
  bookLimits,
  type CommittedState,
  draftOf,
  emptyState,
  type FoldContext,
  type HeldCertificate,
} from './book-state.ts'
import { certificateNow, putCertificate } from './fold-grants.ts'
import { foldLot } from './fold-lot.ts'
import type { Folded } from './folded.ts'
import { type BookGuard, recordsFor } from './records-for.ts'
import {
  anchorKey,
  anchorPrefix,
  bookPrefix,
  decodeAnchor,
  decodeStored,
  encodeAnchor,
  encodeStored,
  type StoredRecord,
  storedKey,
} from './stored-record.ts'

export interface BookOptions {
  readonly store: Store
  readonly powers: AuthorityPowers
  readonly log: Log
  /** The network this node was set up with. @default the one of the first root document that comes */
  readonly networkId?: string
  /** @default none */
  readonly anchors?: Anchors
  /** @default bookLimits */
  readonly limits?: BookLimits
  /** @default all; a proof takes one out */
  readonly guards?: ReadonlySet<BookGuard>
}

interface Found extends StoredRecord {
  readonly kind: string
  readonly id: string
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** A certificate as it lies in the store, not judged yet; undefined when the bytes are not what was written. */
const heldOf = ({ id, bytes, taken }: Found, { hash }: AuthorityPowers): HeldCertificate | undefined => {
  const { key, number, scope, role } = sketchOf(bytes) ?? {}
  if (!isText(key) || !/^[0-9a-f]{64}$/.test(key) || typeof number !== 'number' || !isText(scope)) return undefined
  if (role !== 'tower' && role !== 'aggregator' && role !== 'edge') return undefined
  const memo = { signedBy: undefined, revision: -1, record: undefined }
  return { kind: 'certificate', id, bytes, taken, keyId: keyIdOf(fromHex(key), hash), number, scope, role, memo }
}

/** Countersigned first, then by id: one answer whatever came first. */
const firstOf = (owners: readonly Owner[]): Owner | undefined =>
  owners.toSorted((a, b) => Number(b.isCountersigned) - Number(a.isCountersigned) || (a.id < b.id ? -1 : 1))[0]

/**
 * A book over a store, under keys that begin with `r/`. It believes nothing the store says: at `open` every record is
 * judged again from the root, in the order they were taken, but for certificates, which are judged when they are first
 * asked for.
 */
export const createBook = (options: BookOptions): Book => {
  const { store, powers, log, networkId, limits = bookLimits } = options
  let anchors: Anchors = options.anchors ?? new Map()
  let context: FoldContext = { powers, networkId, anchors, limits }
  const listeners = new Set<(records: readonly BookRecord[]) => void>()
  let state: CommittedState | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let answers: Map<string, readonly BookRecord[]> | undefined
  let numbers: ReadonlyMap<KeyId, number> | undefined

  const now = (): CommittedState => {
    if (state === undefined) throw new BookError('not-open', 'cannot read the book before it is open')
    return state
  }

  const readStored = async (): Promise<readonly Found[]> => {
    const found: Found[] = []
    for await (const { key, value } of store.scan({ prefix: bookPrefix })) {
      const [kind = '', id = ''] = key.slice(bookPrefix.length).split('/')
      const stored = value === undefined ? 'damaged' : decodeStored(value)
      if (stored === 'newer-format')
        throw new BookError('newer-format', `${key} has a newer format than 1: update this node to read it`)
      if (stored === 'damaged') log.warn('a signed record is damaged; a peer has to bring it again', { kind, id })
      else found.push({ kind, id, ...stored })
    }
    return found.toSorted((a, b) => a.taken - b.taken || (a.id < b.id ? -1 : 1))
  }

  const setAnchors = (next: Anchors): void => {
    anchors = next
    context = { ...context, anchors }
  }

  const readAnchors = async (): Promise<void> => {
    const found = new Map(anchors)
    for await (const { key, value } of store.scan({ prefix: `${anchorPrefix}/` })) {
      const owner = value === undefined ? undefined : decodeAnchor(value)
      if (owner === 'newer-format')
        throw new BookError('newer-format', `${key} has a newer format than 1: update this node to read it`)
      // Going on without it would be to believe whoever is above.
      if (owner === undefined)
        throw new BookError(
          'damaged-anchor',
          `${key} is damaged: it says whom this node believes inside that zone; restore the store or enrol the node anew`,
        )
      found.set(key.slice(anchorPrefix.length), owner)
    }
    setAnchors(found)
  }

  const anchor = async (more: Anchors): Promise<void> => {
    const fresh = [...more].filter(([scope]) => !anchors.has(scope))
    if (fresh.length === 0) return
    await store.write(
      fresh.map(([scope, owner]) => ({ kind: 'put', key: anchorKey(scope), value: encodeAnchor(owner) }) as const),
      { sync: true },
    )
    setAnchors(new Map([...anchors, ...fresh]))
    state = await refold()
    answers = undefined
    numbers = undefined
  }

  /** Folds what is stored one by one, each as it stood when it was taken; what is left over is tried as one lot. */
  const refold = async (): Promise<CommittedState> => {
    const stored = await readStored()
    const fresh = emptyState()
    const left: { readonly one: SignedBookRecord; readonly refusal: BookRefusal }[] = []
    for (const found of stored) {
      if (found.kind === 'certificate') {
        const held = heldOf(found, powers)
        if (held !== undefined) putCertificate(fresh, held)
        continue
      }
      const read = readBookRecord(found.bytes, powers)
      if (!read.ok || read.kind !== found.kind || read.record.id !== found.id) {
        log.warn('a stored record is not what it was kept as', { kind: found.kind, id: found.id })
        continue
      }
      fresh.taken = found.taken - 1
      const [folded] = foldLot(fresh, [read], context).results
      if (folded?.ok === false) left.push({ one: read, refusal: folded.refusal })
    }
    fresh.taken = stored.at(-1)?.taken ?? 0
    const again = foldLot(
      fresh,
      left.map(({ one }) => one),
      context,
    )
    for (const [at, folded] of again.results.entries()) {
      const one = left[at]?.one
      if (!folded.ok) log.warn('a stored record no longer counts', { kind: one?.kind, why: folded.refusal.message })
    }
    return fresh
  }

  const recordOf = (one: SignedBookRecord): BookRecord => {
    const { id, bytes } = one.record
    return { kind: one.kind, id, bytes }
  }

  const answer = (one: SignedBookRecord, folded: Folded): BookResult => {
    if (!folded.ok) return { kind: 'refused', refusal: folded.refusal }
    return { kind: folded.kept === undefined ? 'known' : 'new', record: recordOf(one) }
  }

  const take = async (records: readonly Uint8Array[]): Promise<readonly BookResult[]> => {
    const { draft, commit } = draftOf(now())
    const reads = records.map((bytes) => readBookRecord(bytes, powers))
    const good = reads.flatMap((read) => (read.ok ? [read] : []))
    const { results, kept, dropped } = foldLot(draft, good, context)
    const batch: StoreChange[] = [
      ...dropped.map(({ kind, id }) => ({ kind: 'delete', key: storedKey(kind, id) }) as const),
      ...kept.map((one) => ({ kind: 'put', key: storedKey(one.kind, one.id), value: encodeStored(one) }) as const),
    ]
    if (batch.length > 0) {
      await store.write(batch, { sync: true }).catch((error: unknown) => {
        // What certificates were judged to be under the draft must never count for another trust.
        now().revision = draft.revision + 1
        throw error
      })
      state = commit()
      numbers = undefined
      if ([...kept, ...dropped].some(isShared)) answers = undefined
      const news = kept.map(({ kind, id, bytes }) => ({ kind, id, bytes }))
      for (const listener of [...listeners]) listener(news)
    }
    let at = 0
    return reads.map((read): BookResult => {
      if (!read.ok) return { kind: 'refused', refusal: read.refusal }
      const folded = results[at++]
      return folded === undefined ? { kind: 'known', record: recordOf(read) } : answer(read, folded)
    })
  }

  /** Whether a record can be among those that members of other scopes need. */
  const isShared = (one: BookRecord & { readonly role?: HeldCertificate['role'] }): boolean =>
    one.kind !== 'deployment-version' && one.role !== 'edge'

  const openOwners = (): readonly Owner[] => {
    const { trust } = now()
    return [...(trust?.owners.values() ?? [])].filter(({ id }) => trust?.retired.has(id) !== true)
  }

  return {
    open: async () => {
      await readAnchors()
      state = await refold()
      answers = undefined
      numbers = undefined
    },
    trust: () => now().trust,
    anchors: () => anchors,
    anchor: (more) => {
      const done = queue.then(() => anchor(more))
      queue = done.catch(() => {})
      return done
    },
    networkId: () => now().trust?.root.networkId,
    take: (records) => {
      const taken = queue.then(() => take(records))
      queue = taken.catch(() => {})
      return taken
    },
    ownerAt: (scope, role) =>
      firstOf(
        openOwners().filter(
          (owner) =>
            owner.scope === scope &&
            owner.role === role &&
            (role !== 'zone' || (anchors.get(scope) ?? owner.id) === owner.id),
        ),
      ),
    owner: (id) => now().trust?.owners.get(id),
    tenants: () =>
      openOwners()
        .filter(({ role }) => role === 'tenant')
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    certificateOf: (key) => {
      const held = now().certificates.get(key)
      return held === undefined ? undefined : certificateNow(held, now(), powers)
    },
    highestNumbers: () => {
      numbers ??= new Map([...now().certificates].map(([key, { number }]) => [key, number]))
      return numbers
    },
    delegationsOf: (tenant) =>
      [...now().delegations.values()]
        .filter(({ record }) => record.body.tenant === tenant)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(({ record }) => record),
    listsOf: (owner) =>
      [...now().keyLists.values()]
        .map(({ record }) => record)
        .filter((record) => ownerOf(record) === owner)
        .toSorted((a, b) => a.body.generation - b.body.generation),
    version: (id) => now().versions.get(id)?.record,
    beacon: () => now().beacon?.state,
    recordsFor: (scope) => {
      answers ??= new Map()
      const known = answers.get(scope) ?? recordsFor(now(), scope, powers, options.guards)
      answers.set(scope, known)
      return known
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

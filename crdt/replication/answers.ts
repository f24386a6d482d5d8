import type { Documents } from '../documents/index.ts'
import type { Epoch, LaneName } from '../lane/index.ts'
import { inBatches, withLast } from './batches.ts'
import { encodeMessage, type Holding, type LateName, type LaterEpoch } from './message.ts'
import type { ReplicationLimits } from './replication-limits.ts'

/** What this end shows of its documents on one link. */
export interface Shelf {
  readonly documents: Documents
  /** Whether a document is held and the peer may hold it. Unknown, forbidden and absent are one answer. */
  readonly mayShow: (documentId: string) => boolean
  /** Whether another node may have begun the lane under another list of keys: then two first epochs are told apart by their geneses. */
  readonly isBegunTwice: (lane: LaneName) => boolean
  readonly limits: ReplicationLimits
}

/** A document, or the stretch of its hashes above `after` up to `until`. */
interface Asked {
  readonly documentId: string
  readonly after?: string
  readonly until?: string
}

const least = '0'.repeat(64)
const most = 'f'.repeat(64)

const within = (hashes: readonly string[], { after = least, until = most }: Omit<Asked, 'documentId'>) =>
  hashes.filter((hash) => after < hash && hash <= until)

const laterOf = (epoch: Epoch | undefined): { readonly later?: LaterEpoch } =>
  epoch === undefined || epoch.epoch === 1 ? {} : { later: { epoch: epoch.epoch, genesis: epoch.id } }

/** In as many parts as it takes. */
const holdingsOf = async ({ documents, mayShow, limits }: Shelf, asked: Asked): Promise<readonly Holding[]> => {
  const { documentId, after = least, until = most } = asked
  if (!mayShow(documentId)) return [{ documentId, state: 'absent' }]
  const later = laterOf(documents.epochOf(documentId))
  const hashes = await documents.hashes(documentId)
  if (asked.until === undefined && hashes.length <= limits.hashes)
    return [{ documentId, state: 'whole', hashes, ...later }]
  const parts = inBatches(within(hashes, asked), () => 1, limits.hashes)
  return parts.map((part, at) => ({
    documentId,
    state: 'part',
    ...later,
    after: parts[at - 1]?.at(-1) ?? after,
    until: at === parts.length - 1 ? until : (part.at(-1) ?? until),
    hashes: part,
  }))
}

const sizeOf = (holding: Holding): number => (holding.state === 'absent' ? 17 : 121 + 32 * holding.hashes.length)

/** Tells what is held of these documents; read document by document, so that little is in memory at a time. */
export async function* tellHoldings(
  shelf: Shelf,
  kind: 'have' | 'want',
  asked: readonly Asked[],
  isLast: boolean,
): AsyncGenerator<Uint8Array> {
  let waiting: Holding[] = []
  let sizeBytes = 0
  for (const one of asked) {
    for (const holding of await holdingsOf(shelf, one)) {
      // Parts of one document go in messages of their own: a message names a document once.
      const isFull = sizeBytes + sizeOf(holding) > shelf.limits.messageBytes
      if (waiting.length > 0 && (isFull || waiting.at(-1)?.documentId === one.documentId)) {
        yield encodeMessage({ kind, isLast: false, holdings: waiting })
        waiting = []
        sizeBytes = 0
      }
      waiting.push(holding)
      sizeBytes += sizeOf(holding)
    }
  }
  yield encodeMessage({ kind, isLast, holdings: waiting })
}

/** Messages that carry these envelopes, in their order. */
export const envelopeMessages = (
  documentId: string,
  envelopes: readonly Uint8Array[],
  { messageBytes }: ReplicationLimits,
): readonly Uint8Array[] =>
  envelopes.length === 0
    ? []
    : inBatches(envelopes, ({ length }) => length + 4, messageBytes - 64).map((batch) =>
        encodeMessage({ kind: 'envelopes', documentId, envelopes: batch }),
      )

type Held = Exclude<Holding, { readonly state: 'absent' }>

/** What the peer lacks of one epoch, and whether it holds envelopes of it that are not here. */
const compare = async ({ documents }: Shelf, theirs: Held, epoch?: number) => {
  const mine = await documents.hashes(theirs.documentId, epoch)
  const { hashes } = theirs
  const [own, others] = [new Set(theirs.state === 'whole' ? mine : within(mine, theirs)), new Set(hashes)]
  return { lacking: own.difference(others), isBehind: hashes.some((hash) => !own.has(hash)) }
}

async function* tellEpoch(
  { documents, limits }: Shelf,
  documentId: string,
  epoch?: number,
): AsyncGenerator<Uint8Array> {
  const all = new Set(await documents.hashes(documentId, epoch))
  yield* envelopeMessages(documentId, await documents.envelopes(documentId, all, epoch), limits)
}

async function* tellGenesis({ documents }: Shelf, documentId: string, epoch?: number): AsyncGenerator<Uint8Array> {
  const genesis = await documents.genesisOf(documentId, epoch)
  if (genesis !== undefined) yield encodeMessage({ kind: 'genesis', bytes: genesis })
}

/** A lane as who has nothing of it, or not what its epoch follows, takes it: genesis, base, and what was written since. */
export async function* tellWhole(shelf: Shelf, documentId: string): AsyncGenerator<Uint8Array> {
  const { documents, limits } = shelf
  const epoch = documents.epochOf(documentId)
  yield* tellGenesis(shelf, documentId)
  const base = epoch?.base === null ? undefined : await documents.baseOf(documentId)
  const total = base?.length ?? 0
  for (let at = 0; at < total; at += limits.messageBytes - 64) {
    const bytes = base?.subarray(at, at + limits.messageBytes - 64) ?? new Uint8Array()
    yield encodeMessage({ kind: 'base', documentId, genesis: epoch?.id ?? '', total, at, bytes })
  }
  yield* tellEpoch(shelf, documentId)
}

/**
 * Leads a peer on from an epoch that is kept here: what it lacks of it, and then seal after seal what each holds. It works
 * every seal out itself.
 */
async function* tellChain(shelf: Shelf, theirs: Held, from: number): AsyncGenerator<Uint8Array> {
  const { documents, limits } = shelf
  const { documentId } = theirs
  const { lacking } = await compare(shelf, theirs, from)
  yield* envelopeMessages(documentId, await documents.envelopes(documentId, lacking, from), limits)
  if (theirs.state === 'part' && theirs.until !== most) return
  const open = documents.epochOf(documentId)?.epoch ?? from
  for (let epoch = from + 1; epoch <= open; epoch++) {
    yield* tellGenesis(shelf, documentId, epoch)
    yield* tellEpoch(shelf, documentId, epoch)
  }
}

/** To who holds another seal of the same number: what both follow, and the seal, so that it can work out this one too. */
async function* tellRival(shelf: Shelf, documentId: string): AsyncGenerator<Uint8Array> {
  const open = shelf.documents.epochOf(documentId)?.epoch ?? 1
  if (shelf.documents.pastOf(documentId).every(({ epoch }) => epoch !== open - 1))
    return yield* tellWhole(shelf, documentId)
  yield* tellEpoch(shelf, documentId, open - 1)
  yield* tellGenesis(shelf, documentId)
  yield* tellEpoch(shelf, documentId)
}

/** Where the peer's epoch of a document stands among those here. */
const placeOf = ({ documents }: Shelf, { documentId, later }: Held): 'same' | 'ahead' | 'unknown' | number => {
  const open = documents.epochOf(documentId)
  const number = later?.epoch ?? 1
  if (open === undefined || number > open.epoch) return 'ahead'
  if (number === open.epoch && (later === undefined || later.genesis === open.id)) return 'same'
  const past = documents.pastOf(documentId).find(({ epoch }) => epoch === number)
  return past !== undefined && (later === undefined || later.genesis === past.id) ? number : 'unknown'
}

/** What to send of one document, and whether the peer has of it what is lacking here. */
async function* answerOne(shelf: Shelf, theirs: Holding): AsyncGenerator<Uint8Array, boolean> {
  const { documentId } = theirs
  if (theirs.state === 'absent') {
    yield* tellWhole(shelf, documentId)
    return false
  }
  const place = placeOf(shelf, theirs)
  if (place === 'ahead') return true
  if (place === 'unknown') {
    // A chain that lost, or one from before what is kept here: whichever goes before, the other end takes it.
    const isRival = theirs.later?.epoch === shelf.documents.epochOf(documentId)?.epoch
    yield* (isRival ? tellRival : tellWhole)(shelf, documentId)
    return true
  }
  if (place !== 'same') {
    yield* tellChain(shelf, theirs, place)
    return false
  }
  const { lacking, isBehind } = await compare(shelf, theirs)
  const open = shelf.documents.epochOf(documentId)
  if (open?.epoch === 1 && shelf.isBegunTwice(open.lane)) yield* tellGenesis(shelf, documentId)
  if (lacking.size > 0)
    yield* envelopeMessages(documentId, await shelf.documents.envelopes(documentId, lacking), shelf.limits)
  return isBehind
}

/**
 * Answers what the peer holds: for each document what it lacks and may hold; and after `have` a `want` of what is lacking
 * here. A document that is not shown is answered as if it were not here.
 */
export async function* answerHoldings(
  shelf: Shelf,
  {
    kind,
    isLast,
    holdings,
  }: { readonly kind: 'have' | 'want'; readonly isLast: boolean; readonly holdings: readonly Holding[] },
): AsyncGenerator<Uint8Array> {
  const behind: Asked[] = []
  for (const theirs of holdings) {
    const { documentId } = theirs
    if (!shelf.mayShow(documentId)) {
      if (theirs.state !== 'absent') behind.push({ documentId })
      continue
    }
    const isBehind = yield* answerOne(shelf, theirs)
    if (isBehind) behind.push(theirs.state === 'part' && placeOf(shelf, theirs) === 'same' ? theirs : { documentId })
  }
  if (kind === 'have' && (behind.length > 0 || isLast)) yield* tellHoldings(shelf, 'want', behind, isLast)
}

/** Messages that carry these records, in their order; one that is empty when there are none. */
export const recordMessages = (
  records: readonly Uint8Array[],
  isLast: boolean,
  { messageBytes }: ReplicationLimits,
): readonly Uint8Array[] =>
  withLast(inBatches(records, ({ length }) => length + 4, messageBytes - 64)).map(([batch, isEnd]) =>
    encodeMessage({ kind: 'records', isLast: isLast && isEnd, records: batch }),
  )

/** Names of the late changes of these documents, in messages that each fit. */
export const lateNameMessages = (
  names: readonly LateName[],
  isWanted: boolean,
  limits: ReplicationLimits,
): readonly Uint8Array[] => {
  const nameOf = ({ documentId, hash }: LateName) => documentId + hash
  const sorted = names.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  return sorted.length === 0
    ? []
    : inBatches(sorted, () => 1, limits.hashes).map((batch) =>
        encodeMessage({ kind: 'late-names', isWanted, names: batch }),
      )
}

/** Messages that carry late changes of one document. */
export const lateChangeMessages = (
  documentId: string,
  envelopes: readonly Uint8Array[],
  { messageBytes }: ReplicationLimits,
): readonly Uint8Array[] =>
  envelopes.length === 0
    ? []
    : inBatches(envelopes, ({ length }) => length + 4, messageBytes - 64).map((batch) =>
        encodeMessage({ kind: 'late-changes', documentId, envelopes: batch }),
      )

const isSignedTwice = ({ documents }: Shelf, documentId: string): boolean =>
  documents.quarantined(documentId).some(({ isOpen }) => isOpen)

/**
 * Names of what counts nowhere, of documents the peer may have: late changes, and where a key signed two of one number in the
 * open epoch all that is excluded from it. Digests cover neither: a proof that came to one end whole changes no head there.
 */
export const uncountedNames = async (shelf: Shelf, ids: readonly string[]): Promise<readonly LateName[]> => {
  const { documents } = shelf
  const names: LateName[] = []
  for (const documentId of ids) {
    if (!shelf.mayShow(documentId)) continue
    const hashes = new Set(documents.lateNames(documentId).map(({ hash }) => hash))
    for (const hash of isSignedTwice(shelf, documentId) ? await documents.excluded(documentId) : []) hashes.add(hash)
    for (const hash of hashes) names.push({ documentId, hash })
  }
  return names
}

/** Answers which changes that do not count the peer wants, as far as it may have them. */
export async function* answerLate(shelf: Shelf, names: readonly LateName[]): AsyncGenerator<Uint8Array> {
  const { documents, limits } = shelf
  for (const documentId of new Set(names.map((name) => name.documentId))) {
    if (!shelf.mayShow(documentId)) continue
    const hashes = new Set(names.flatMap((name) => (name.documentId === documentId ? name.hash : [])))
    yield* lateChangeMessages(documentId, await documents.lateEnvelopes(documentId, hashes), limits)
    if (isSignedTwice(shelf, documentId))
      yield* envelopeMessages(documentId, await documents.envelopes(documentId, hashes), limits)
  }
}

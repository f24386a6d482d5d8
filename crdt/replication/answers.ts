import type { Documents } from '../documents/index.ts'
import { inBatches, withLast } from './batches.ts'
import { encodeMessage, type Holding } from './message.ts'
import type { ReplicationLimits } from './replication-limits.ts'

/** What this end shows of its documents on one link. */
export interface Shelf {
  readonly documents: Documents
  /** Whether a document is held and the peer may hold it. Unknown, forbidden and absent are one answer. */
  readonly mayShow: (documentId: string) => boolean
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

/** In as many parts as it takes. */
const holdingsOf = async ({ documents, mayShow, limits }: Shelf, asked: Asked): Promise<readonly Holding[]> => {
  const { documentId, after = least, until = most } = asked
  if (!mayShow(documentId)) return [{ documentId, state: 'absent' }]
  const hashes = await documents.hashes(documentId)
  if (asked.until === undefined && hashes.length <= limits.hashes) return [{ documentId, state: 'whole', hashes }]
  const parts = inBatches(within(hashes, asked), () => 1, limits.hashes)
  return parts.map((part, at) => ({
    documentId,
    state: 'part',
    after: parts[at - 1]?.at(-1) ?? after,
    until: at === parts.length - 1 ? until : (part.at(-1) ?? until),
    hashes: part,
  }))
}

const sizeOf = (holding: Holding): number => (holding.state === 'absent' ? 17 : 85 + 32 * holding.hashes.length)

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

/** What the peer lacks of one document, and whether it holds envelopes that are not here. */
const compare = async ({ documents }: Shelf, theirs: Holding) => {
  const mine = await documents.hashes(theirs.documentId)
  if (theirs.state === 'absent') return { lacking: new Set(mine), isBehind: false }
  const { hashes } = theirs
  const [own, others] = [new Set(theirs.state === 'whole' ? mine : within(mine, theirs)), new Set(hashes)]
  return { lacking: own.difference(others), isBehind: hashes.some((hash) => !own.has(hash)) }
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
    const { lacking, isBehind } = await compare(shelf, theirs)
    if (isBehind) behind.push(theirs.state === 'part' ? theirs : { documentId })
    if (theirs.state === 'absent') {
      const genesis = await shelf.documents.genesisOf(documentId)
      if (genesis === undefined) continue
      yield encodeMessage({ kind: 'genesis', bytes: genesis })
    }
    if (lacking.size > 0)
      yield* envelopeMessages(documentId, await shelf.documents.envelopes(documentId, lacking), shelf.limits)
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

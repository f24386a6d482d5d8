import {
  acceptBeacon,
  acceptFirstRoot,
  acceptNextRoot,
  type Beacon,
  type BlockList,
  blockedAt,
  countersign,
  isBlockListSigned,
  isSignedBy,
  type KeyList,
  type Keys,
  keyListKind,
  type Owner,
  ownerOf,
  type Quorum,
  type Root,
  type SignedRecord,
  type Signer,
  signersOf,
  type Trust,
  takeBlockList,
  takeKeyLists,
  type Verdict,
  verdictKind,
} from '../authority/index.ts'
import { type BookState, type FoldContext, type Kept, keptAs } from './book-state.ts'
import { type Folded, kept, known, refused } from './folded.ts'

const isWithin = (scope: string, outer: string): boolean =>
  scope === outer || scope.startsWith(outer === '/' ? '/' : `${outer}/`)

const parentScope = (scope: string): string | undefined =>
  scope === '/' ? undefined : scope.slice(0, scope.lastIndexOf('/')) || '/'

/** The keys of an owner that are not blocked where it stands. */
export const unblocked = (trust: Trust, keys: Keys, scope: string): Keys => {
  const blocked = blockedAt(trust, scope)
  return new Map([...keys].filter(([keyId]) => !blocked.keys.has(keyId)))
}

const moved = (state: BookState, trust: Trust): void => {
  state.trust = trust
  state.revision += 1
}

export const foldRoot = (state: BookState, record: SignedRecord<Root>, context: FoldContext): Folded => {
  if (state.roots.some(({ id }) => id === record.id)) return known
  const { powers, networkId, anchors } = context
  const accepted =
    state.trust === undefined
      ? acceptFirstRoot(record, networkId, powers)
      : acceptNextRoot(state.trust.root, record, powers)
  if (!accepted.ok) return accepted
  const nobody = { owners: new Map(), anchors, retired: new Set<string>(), blockLists: [] }
  moved(state, { ...(state.trust ?? nobody), root: accepted.root })
  const one = keptAs(state, 'root', record)
  state.roots = [...state.roots, one]
  return kept(one)
}

/** Adds to a list that is held the signatures of those above it that a copy of it brings. */
const withSignatures = (
  held: Kept<KeyList>,
  copy: SignedRecord<KeyList>,
  trust: Trust,
  { powers }: FoldContext,
): Kept<KeyList> => {
  const above = [...trust.owners.values()].filter(
    ({ role, scope }) => role === 'zone' && isWithin(copy.body.scope, scope),
  )
  const keys = new Map([trust.root, ...above].flatMap((quorum) => [...quorum.keys]))
  const signed = signersOf(keyListKind, copy, keys, powers)
  const signers = copy.signatures
    .filter(({ keyId }) => signed.has(keyId))
    .map(
      ({ keyId, signature }): Signer => ({
        keyId,
        publicKey: keys.get(keyId) ?? new Uint8Array(),
        sign: () => signature,
      }),
    )
  const room = 32 - held.record.signatures.length
  const record = countersign(keyListKind, held.record, signers.slice(0, Math.max(0, room)))
  return { ...held, bytes: record.bytes, record }
}

export const foldKeyList = (state: BookState, record: SignedRecord<KeyList>, context: FoldContext): Folded => {
  const { trust } = state
  if (trust === undefined) return refused('unknown-issuer', 'the key list came before the root document')
  const held = state.keyLists.get(record.id)
  const ownerNow = trust.owners.get(ownerOf(record))
  const isNewest = ownerNow?.list === record.id
  if (held !== undefined && Buffer.compare(held.bytes, record.bytes) === 0) return known
  if (held !== undefined && record.body.succession === 'granted' && (!isNewest || ownerNow.isCountersigned))
    return known
  const withMore = held === undefined ? undefined : withSignatures(held, record, trust, context)
  // Signatures that do not hold count for nothing, and do not keep out those that do.
  if (withMore !== undefined && held !== undefined && Buffer.compare(withMore.bytes, held.bytes) === 0) return known
  // Whoever comes new judges all lists of a zone that renews itself by the keys its parent has then.
  if (withMore !== undefined && (!isNewest || ownerNow.isCountersigned)) {
    state.keyLists.set(withMore.id, withMore)
    return kept(withMore)
  }
  if (held === undefined && state.keyLists.size >= context.limits.keyLists)
    return refused('full', `the book holds ${context.limits.keyLists} key lists: an owner above signed too many`)
  const judged = takeKeyLists(trust, [record], context.powers)
  const [first] = judged.refused
  if (first !== undefined) return { ok: false, refusal: first.refusal }
  const isCountersigned = judged.trust.owners.get(ownerOf(record))?.isCountersigned === true
  if (held !== undefined && !isCountersigned) return known
  moved(state, judged.trust)
  const one = withMore ?? keptAs(state, 'key-list', record)
  state.keyLists.set(one.id, one)
  return kept(one)
}

export const foldBlockList = (state: BookState, record: SignedRecord<BlockList>, context: FoldContext): Folded => {
  const { trust } = state
  const { issuer, network } = record.body
  if (trust === undefined) return refused('unknown-issuer', 'the block list came before the root document')
  const held = state.blockLists.get(issuer ?? '') ?? []
  if (held.some(({ id }) => id === record.id)) return known
  if (network !== trust.root.networkId) return refused('wrong-network', 'the block list belongs to another network')
  if (issuer !== null && (!trust.owners.has(issuer) || trust.retired.has(issuer)))
    return refused('unknown-issuer', 'the block list is of an owner nobody here believes')
  if (!isBlockListSigned(record, trust, context.powers))
    return refused('not-enough-signatures', 'the block list is not signed by its issuer')
  const next = takeBlockList(
    held.map((one) => one.record),
    record,
  )
  if (!next.ok) return next
  if (next.held.length > context.limits.rivalBlockLists)
    return refused('full', `its issuer signed more than ${context.limits.rivalBlockLists} block lists of one number`)
  const one = keptAs(state, 'block-list', record)
  const stay = new Set(next.held.map(({ id }) => id))
  const now = [...held.filter(({ id }) => stay.has(id)), one].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  state.blockLists.set(issuer ?? '', now)
  const all = [...state.blockLists].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, lists]) => lists)
  moved(state, { ...trust, blockLists: all.map((each) => each.record) })
  return kept(
    one,
    held.filter(({ id }) => !stay.has(id)),
  )
}

/** Who speaks for the parent of an owner: for a tenant its home scope, for the tower's zone the root. */
const parentsOf = ({ role, scope }: Owner, trust: Trust): readonly Quorum[] => {
  const from = role === 'tenant' ? scope : parentScope(scope)
  if (from === undefined) return [trust.root]
  return [...trust.owners.values()]
    .filter((owner) => owner.role === 'zone' && owner.scope === from && !trust.retired.has(owner.id))
    .map(({ keys, threshold }) => ({ keys: unblocked(trust, keys, from), threshold }))
}

export const foldVerdict = (state: BookState, record: SignedRecord<Verdict>, context: FoldContext): Folded => {
  const { trust } = state
  const { body } = record
  if (state.verdicts.has(record.id)) return known
  const owner = trust?.owners.get(body.owner)
  if (trust === undefined || owner === undefined)
    return refused('unknown-issuer', 'the verdict is about an owner that is not known here')
  if (body.network !== trust.root.networkId) return refused('wrong-network', 'the verdict belongs to another network')
  if (trust.anchors.get(owner.scope) === owner.id)
    return refused('out-of-scope', `inside ${owner.scope} its parent retires and refuses nobody`)
  if (!parentsOf(owner, trust).some((parent) => isSignedBy(verdictKind, record, parent, context.powers)))
    return refused('not-enough-signatures', 'the verdict is not signed by the owner of the parent scope')
  if (state.verdicts.size >= context.limits.verdicts)
    return refused('full', `the book holds ${context.limits.verdicts} verdicts`)
  const one = keptAs(state, 'verdict', record)
  state.verdicts.set(one.id, one)
  if (body.verdict === 'retired') moved(state, { ...trust, retired: new Set([...trust.retired, body.owner]) })
  return kept(one)
}

export const foldBeacon = (state: BookState, record: SignedRecord<Beacon>, { powers }: FoldContext): Folded => {
  const { trust, beacon } = state
  if (trust === undefined) return refused('unknown-issuer', 'the beacon came before the root document')
  if (beacon?.kept.id === record.id) return known
  const accepted = acceptBeacon(record, beacon?.state, trust.root, powers)
  if (!accepted.ok) return accepted
  const one = keptAs(state, 'beacon', record)
  state.beacon = { kept: one, state: accepted.state }
  return kept(one, beacon === undefined ? [] : [beacon.kept])
}

import type { ScopePath } from '../../base/index.ts'
import {
  type AuthorityPowers,
  createKeyedSignatures,
  keyListKind,
  nodeHash,
  nothingBlocked,
  type Owner,
  type Signer,
  sealRecord,
  toHex,
} from '../authority/index.ts'
import { type Entry, formatEntry } from '../effective/index.ts'
import { actorOf, type Envelope, sealEnvelope } from '../envelope/index.ts'
import type { LaneWriter } from './author.ts'
import { type ChangeFields, writeLaneChange } from './automerge-codec.ts'
import { type Epoch, openGenesis, sealGenesis } from './genesis.ts'
import type { LaneName } from './lane-name.ts'

/** Hexadecimal digits that show the word they stand for. */
export const hexOf = (word: string, bytes: number): string =>
  Buffer.from(word)
    .toString('hex')
    .padEnd(bytes * 2, '0')
    .slice(0, bytes * 2)

export const networkId = hexOf('network', 32)
export const tenant = hexOf('tenant', 16)
export const shop = hexOf('shop', 16)
export const intentLane: LaneName = { kind: 'intent', scope: '/de' as ScopePath, tenant, owner: '/' as ScopePath }
export const localLane: LaneName = { kind: 'local', scope: '/de' as ScopePath, tenant }
export const memberLane: LaneName = { kind: 'member', scope: '/de/munich' as ScopePath }

export interface LaneScene {
  readonly powers: AuthorityPowers
  readonly signers: readonly Signer[]
  readonly owner: Owner
  readonly epoch: Epoch
  readonly genesis: Uint8Array
  writer(at: number, incarnation?: string): LaneWriter
}

const scopeOf = (lane: LaneName) => {
  if (lane.kind === 'intent') return lane.owner
  if (lane.kind === 'member') return '/de'
  return lane.kind === 'tenant' ? '/' : lane.scope
}

/** An owner with this many keys, and the first epoch of a lane of it. */
export const laneScene = (lane: LaneName = intentLane, keys = 3, document = 'document'): LaneScene => {
  const signatures = createKeyedSignatures()
  const powers = { signatures, hash: nodeHash }
  const signers = Array.from({ length: keys }, (_, at) => signatures.signer(new Uint8Array(32).fill(at + 1)))
  const keyList = {
    network: networkId,
    owner: lane.kind === 'tenant' ? tenant : hexOf('owner', 16),
    role: lane.kind === 'tenant' ? 'tenant' : 'zone',
    scope: scopeOf(lane),
    succession: 'granted',
    generation: 1,
    previous: null,
    keys: signers.map(({ publicKey }) => toHex(publicKey)).toSorted(),
    threshold: 1,
  } as const
  const list = sealRecord(keyListKind, keyList, signers.slice(0, 1), powers)
  const owner: Owner = {
    id: keyList.owner,
    role: keyList.role,
    scope: keyList.scope,
    succession: keyList.succession,
    generation: 1,
    list: list.id,
    keys: new Map(signers.map(({ keyId, publicKey }) => [keyId, publicKey])),
    threshold: 1,
    isCountersigned: true,
  }
  const fields = { networkId, documentId: hexOf(document, 16), lane, owner }
  const record = sealGenesis(fields, signers.slice(0, 1), powers)
  const opened = openGenesis(record.bytes, { networkId, owner, blocked: nothingBlocked }, powers)
  if (!opened.ok) throw new Error(opened.refusal.message)
  const writer = (at: number, incarnation = 'first') => {
    const signer = signers[at]
    if (signer === undefined) throw new Error(`the scene has ${keys} keys`)
    return { signer, incarnation: hexOf(incarnation, 16) }
  }
  return { powers, signers, owner, epoch: opened.epoch, genesis: record.bytes, writer }
}

/** An entry's text; what is not given does not matter. */
export const entryText = (given: Partial<Entry> & { readonly n: number }): string => {
  const { n, ...fields } = given
  return formatEntry({
    decision: hexOf(`d${n}`, 16),
    version: hexOf(`v${n}`, 32),
    step: 0,
    share: null,
    fence: { generation: 1, n },
    seen: [],
    retired: false,
    ...fields,
  })
}

export const edit = (text: string, application = shop): ReadonlyMap<string, string> => new Map([[application, text]])

/** A signed envelope around any change, good or not, as a hostile writer would make it. */
export const craft = (
  { epoch, powers }: LaneScene,
  { signer, incarnation }: LaneWriter,
  fields: Omit<ChangeFields, 'actor'> & { readonly actor?: string },
): Envelope => {
  const { networkId: network, documentId } = epoch
  const actor = actorOf({ documentId, epoch: epoch.epoch, author: signer.keyId, incarnation }, powers.hash)
  const change = writeLaneChange({ actor, ...fields })
  const sealed = { networkId: network, documentId, epoch: epoch.epoch, incarnation, seq: fields.seq, change }
  return sealEnvelope(sealed, signer, powers)
}

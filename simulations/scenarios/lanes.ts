import {
  envelopeAuthor,
  fromHex,
  genesisKind,
  type LaneName,
  laneOwner,
  nodeHash,
  parseLaneName,
  readRecord,
  scanChange,
  signatureBytes,
  signedMessage,
} from '../../crdt/index.ts'
import { parentOf, zoneAt } from '../../topologies/index.ts'
import type { World } from '../world/index.ts'

/** The signed record that begins an epoch of a lane, or one change in it, as it lies in a store. */
export type StoredPiece =
  | {
      readonly kind: 'genesis'
      readonly documentId: string
      readonly epoch: number
      /** Of the record, whoever signed it. */
      readonly id: string
      readonly lane: LaneName
    }
  | {
      readonly kind: 'envelope'
      readonly documentId: string
      readonly epoch: number
      readonly author: string
      readonly hash: string
      readonly bytes: Uint8Array
    }

const envelopePattern = /^d\/([0-9a-f]{32})\/e\/([0-9a-f]{8})\/([0-9a-f]{64})$/
const genesisPattern = /^d\/([0-9a-f]{32})\/g\/([0-9a-f]{8})$/
const tailPattern = /^d\/([0-9a-f]{32})\/([lq])\/([0-9a-f]{8})\/([0-9a-f]{64})$/

const numberOf = (digits: string): number => Number.parseInt(digits, 16)

/** What a key of a store says was left behind: a change that is late, or the proof against a key. */
export const readTail = (
  key: string,
):
  | { readonly kind: 'late' | 'proof'; readonly documentId: string; readonly epoch: number; readonly of: string }
  | undefined => {
  const [, documentId, kind, epoch, of] = tailPattern.exec(key) ?? []
  if (documentId === undefined || epoch === undefined || of === undefined) return undefined
  return { kind: kind === 'l' ? 'late' : 'proof', documentId, epoch: numberOf(epoch), of }
}

const parsePiece = (key: string, bytes: Uint8Array): StoredPiece | undefined => {
  // Taken away, as what was found damaged is.
  if (bytes.length === 0) return undefined
  const [, document, of = '', hash] = envelopePattern.exec(key) ?? []
  if (document !== undefined && hash !== undefined)
    return {
      kind: 'envelope',
      documentId: document,
      epoch: numberOf(of),
      author: envelopeAuthor(bytes).author,
      hash,
      bytes,
    }
  const [, documentId, epoch] = genesisPattern.exec(key) ?? []
  if (documentId === undefined || epoch === undefined) return undefined
  const read = readRecord(genesisKind, bytes, { hash: nodeHash })
  if (!read.ok) return undefined
  const { id, body } = read.record
  return { kind: 'genesis', documentId, epoch: numberOf(epoch), id, lane: parseLaneName(body.lane) }
}

/** Several checkers read each write, one after the other. */
let last: { readonly key: string; readonly bytes: Uint8Array; readonly piece: StoredPiece | undefined } | undefined

/** What a key and a value of a store are, read without the node that wrote them; undefined for all that is no lane's. */
export const readPiece = (key: string, bytes: Uint8Array): StoredPiece | undefined => {
  if (last?.key !== key || last.bytes !== bytes) last = { key, bytes, piece: parsePiece(key, bytes) }
  return last.piece
}

/** Where docs/adr/0010-envelopes.md has the change, in bytes. */
const changeAt = 125

/** What the change in an envelope says of itself. */
export const scanStored = (envelope: Uint8Array): ReturnType<typeof scanChange> =>
  scanChange(envelope.subarray(changeAt, envelope.length - signatureBytes))

/** Whether an envelope holds a change at all; one that does not counts nowhere, whoever signed it. */
export const isChange = (envelope: Uint8Array): boolean => scanStored(envelope).ok

/** The keys that may write a lane, by their ids: by what the machines are and not by what any record says. */
export const writersOf = (world: World, lane: LaneName): ReadonlyMap<string, Uint8Array> => {
  const owner = laneOwner(lane)
  if (owner === undefined) return new Map()
  if ('tenant' in owner) return tenantKeys(world)
  const signers = world.machines.filter(({ place }) => place.scope === owner.scope).flatMap((one) => one.signer() ?? [])
  return new Map(signers.map(({ keyId, publicKey }) => [keyId, publicKey]))
}

/** Whether the signature at the end of an envelope is this key's. */
export const isSignedWith = ({ signatures }: World, publicKey: Uint8Array, envelope: Uint8Array): boolean => {
  const end = envelope.length - signatureBytes
  return signatures.verify(publicKey, signedMessage('envelope', envelope.subarray(0, end)), envelope.subarray(end))
}

const tenantKeys = ({ machines, signatures }: World): ReadonlyMap<string, Uint8Array> =>
  new Map(
    machines.flatMap(({ disk }) => {
      const kept = disk.stateFile<{ readonly tenant: { readonly seed: string } }>('authority').load()
      if (!kept) return []
      const { keyId, publicKey } = signatures.signer(fromHex(kept.tenant.seed))
      return [[keyId, publicKey] as const]
    }),
  )

/** The scope above a zone whose own lane goes there too, because the zone's policy lets it. */
const readerAbove = ({ topology }: World, lane: LaneName): readonly string[] => {
  if (lane.kind !== 'local' && !(lane.kind === 'zone' && lane.side === 'own')) return []
  const policy = zoneAt(topology, lane.scope)?.policy
  const leaves =
    lane.kind === 'local' ? policy?.intents === 'all' && policy['changes-author'] === 'all' : policy?.names === 'all'
  return leaves ? [parentOf(lane.scope) ?? '/'] : []
}

/** Machines that hold a lane once they had the time: its owner's, those of the scope it is about, and who may read it above. */
export const holdersOf = (world: World, lane: LaneName): readonly string[] => {
  const owner = laneOwner(lane)
  const scopes: readonly string[] = [
    ...(owner !== undefined && 'scope' in owner ? [owner.scope] : ['/']),
    ...(lane.kind === 'tenant' ? [] : [lane.scope]),
    ...readerAbove(world, lane),
  ]
  return world.machines.filter(({ place }) => scopes.includes(place.scope)).map(({ place }) => place.name)
}

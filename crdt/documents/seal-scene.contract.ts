import type { Owner, Signer } from '../authority/index.ts'
import { type LaneScene, laneScene } from '../lane/scene/index.ts'
import { createMemoryDisk, type MemoryDisk } from '../store/index.ts'
import { allBytes, type OpenedScene, openDocuments } from './documents-scene.contract.ts'
import type { Documents, SealResult } from './index.ts'

export interface Holder extends OpenedScene {
  readonly name: string
  readonly disk: MemoryDisk
}

export const scene: LaneScene = laneScene()

/** A holder of the lane as another node begins it: it has the first genesis and all that `from` holds. */
export const openHolder = async (
  name: string,
  options: Parameters<typeof openDocuments>[2] = {},
  from?: { readonly documents: Documents; readonly id: string },
): Promise<Holder> => {
  const disk = createMemoryDisk()
  const opened = await openDocuments(disk, scene, { seed: name.length * 7 + name.charCodeAt(0), ...options })
  const holder = { ...opened, name, disk }
  if (from !== undefined) await bring(from.documents, holder, from.id)
  return holder
}

/** Brings the genesis of the open epoch and all envelopes of it, as replication would. */
export const bring = async (from: Documents, to: Pick<Holder, 'documents'>, id: string, owner: Owner = scene.owner) => {
  const genesis = await from.genesisOf(id)
  if (genesis === undefined) throw new Error('nothing to bring')
  const base = await from.baseOf(id)
  const taken = await to.documents.takeGenesis(genesis, owner, 'peer', base === undefined ? {} : { base })
  await to.documents.take(id, await allBytes(from, id), 'peer')
  return taken
}

export const codeOf = (result: { readonly ok: boolean; readonly refusal?: { readonly code: string } } | SealResult) =>
  'refusal' in result ? (result.refusal?.code ?? '') : 'ok'

/** The owner in a later generation with these keys. */
export const nextOwner = (signers: readonly Signer[], generation = 2): Owner => ({
  ...scene.owner,
  generation,
  list: generation.toString(16).padStart(64, '0'),
  keys: new Map(signers.map(({ keyId, publicKey }) => [keyId, publicKey])),
})

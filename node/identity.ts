import type { Random } from '../base/index.ts'
import {
  fromHex,
  nodeSealing,
  type SealingReader,
  type Signatures,
  type Signer,
  seedBytes,
  toHex,
} from '../crdt/index.ts'
import type { StateFile } from './powers/index.ts'

/** The one secret of a node: its key signs and is its identity on links, another that follows from it is sealed to. */
export interface Identity {
  readonly signer: Signer
  /** 32 secret bytes. */
  readonly seed: Uint8Array
  /** The raw public key, 64 hexadecimal digits: what a link authenticates. */
  readonly peerKey: string
  /** Opens what others sealed to this node. */
  readonly reader: SealingReader
}

/** What is kept of a key: its seed, 64 hexadecimal digits. Mode 600, like every state file. */
export interface KeptKey {
  readonly seed: string
}

export const identityOf = (seed: Uint8Array, signatures: Signatures): Identity => {
  const signer = signatures.signer(seed)
  return { signer, seed, peerKey: toHex(signer.publicKey), reader: nodeSealing.reader(seed) }
}

/** The node's key, drawn once. */
export const loadIdentity = (file: StateFile<KeptKey>, random: Random, signatures: Signatures): Identity => {
  const kept = file.load()
  const seed = kept === undefined ? random.bytes(seedBytes) : fromHex(kept.seed)
  if (kept === undefined) file.save({ seed: toHex(seed) })
  return identityOf(seed, signatures)
}

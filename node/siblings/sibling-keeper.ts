import { errorText, SkerryError } from '../../base/index.ts'
import { fromHex, keyIdOf, type Store } from '../../crdt/index.ts'
import { createBlobServer } from '../blobs.ts'
import type { BlobStore } from '../powers/index.ts'
import { createDepositShelf, type DepositDesk, readLeave, siblingFormat } from '../services/siblings/index.ts'
import { createSiblingDoor, type SiblingDoor, type SiblingDoorOptions } from './sibling-door.ts'

export interface KeeperOptions extends Omit<SiblingDoorOptions, 'shelf' | 'blobs'> {
  /** Keys under `deposit/` are used. */
  readonly store: Store
  readonly blobs: BlobStore
  /** Undefined before this host believes anybody. */
  readonly standing: () => DepositDesk | undefined
}

/** A host as the one that keeps deposits of other sites. */
export interface SiblingKeeper {
  readonly door: SiblingDoor
  /** Takes what the parent, known by its key, leaves. @throws {SkerryError} the refusal, in words */
  take(question: unknown, parentKey: string): Promise<{ readonly head: unknown }>
  stop(): Promise<void>
}

/** Blobs one sibling reads at a time: those of its own site go before. */
const blobsPerSibling = 2

export const createSiblingKeeper = (options: KeeperOptions): SiblingKeeper => {
  const { store, blobs, powers, log, book, standing } = options
  const shelf = createDepositShelf({ store, powers, log })
  const server = createBlobServer({ store: blobs, log, mayHave: () => true, perPeer: blobsPerSibling })
  const prune = () => {
    const desk = standing()
    if (desk !== undefined)
      shelf
        .prune(desk)
        .catch((error: unknown) => log.warn('deposits could not be dropped', { error: errorText(error) }))
  }
  const stop = book.onChange((records) => {
    if (records.some(({ kind }) => kind === 'block-list' || kind === 'key-list')) prune()
  })
  // What was blocked while this code was not loaded.
  prune()
  return {
    door: createSiblingDoor({ ...options, shelf, blobs: server }),
    take: async (question, parentKey) => {
      const said = readLeave(question)
      const desk = standing()
      if (said === undefined || desk === undefined)
        throw new SkerryError('bad-message', 'what was left is not in its form, or this host is no member yet')
      if (said.kind === 'keep') {
        await shelf.keepOnly(keyIdOf(fromHex(parentKey), powers.hash), new Set(said.readers))
        return { head: { v: siblingFormat, result: 'kept', number: 0 } }
      }
      const [record, sealed] = [said.record, said.sealed].map((text) => new Uint8Array(Buffer.from(text, 'base64')))
      const left = await shelf.leave({ record: record ?? new Uint8Array(0), sealed: sealed ?? new Uint8Array(0) }, desk)
      if ('code' in left) throw new SkerryError(left.code, left.message)
      return { head: { v: siblingFormat, ...left } }
    },
    stop: async () => stop(),
  }
}

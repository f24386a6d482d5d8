import { silentLog } from '../../base/index.ts'
import { createNodeSignatures, seedBytes } from '../../crdt/index.ts'
import { createLibp2pMesh } from '../../mesh/libp2p/index.ts'
import { nextDocument, readerOf, sendDocument } from '../../node/links/index.ts'
import { systemClock, systemRandom } from '../../node/powers/index.ts'

export interface StrangerCall {
  /** Where the parent accepts links. */
  readonly address: string
  readonly networkId: string
  readonly name: string
  readonly role: string
  readonly scope: string
  /** A token that somebody else was given. */
  readonly token: string
}

/** How a parent answered. */
export interface StrangerAnswer {
  readonly kind: string
  readonly message?: string
}

const timeoutMs = 10_000

/** A machine that nobody knows, with a key of its own: calls parents as a host it is not. */
export const callAsStranger = async (call: StrangerCall): Promise<StrangerAnswer & { readonly key: string }> => {
  const seed = systemRandom.fork('stranger').bytes(seedBytes)
  const key = createNodeSignatures().signer(seed).keyId
  const prologue = Buffer.from(call.networkId, 'hex')
  const mesh = createLibp2pMesh({ seed, prologue, listen: [], clock: systemClock, log: silentLog })
  try {
    await mesh.start()
    const link = await mesh.dial(call.address, { timeoutMs })
    const stream = await link.openStream('join')
    await sendDocument(stream, {
      v: 1,
      network: call.networkId,
      name: call.name,
      hostId: 'another-machine',
      role: call.role,
      scope: call.scope,
      token: call.token,
      certificate: null,
      session: 0,
    })
    const answer = (await nextDocument(readerOf(stream))) as StrangerAnswer | undefined
    return { kind: answer?.kind ?? 'hung up', key, ...(answer?.message !== undefined && { message: answer.message }) }
  } finally {
    await mesh.stop()
  }
}

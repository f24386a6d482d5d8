import { randomHex, silentLog } from '../../../base/index.ts'
import {
  createDocuments,
  createMemoryDisk,
  type Documents,
  type Signer,
  type StoreChange,
} from '../../../crdt/index.ts'
import { encodeMessage } from '../../../crdt/replication/index.ts'
import type { MeshStream } from '../../../mesh/index.ts'
import type { NodePowers } from '../../../node/index.ts'
import { writeEntries } from '../../../node/services/deployments/index.ts'
import type { Doctor } from '../guard.ts'
import { goldEdge, goldScope } from '../scenes.ts'
import { every, watchDocuments, watchStore } from './watched.ts'

const everyMs = 5_000

/** What the forger holds of its parent's lane, opened where nobody verifies anything. */
const openCopy = async (powers: NodePowers, changes: readonly StoreChange[], networkId: string): Promise<Documents> => {
  const store = createMemoryDisk().store()
  await store.open()
  await store.write(changes, { sync: true })
  const { hash, signatures } = powers.authority
  const documents = createDocuments({
    store,
    networkId: () => networkId,
    powers: { hash, signatures: { signer: signatures.signer, verify: () => true } },
    random: powers.random.fork('forger'),
    log: silentLog,
  })
  await documents.open()
  return documents
}

/** Says, in the name of the parent and with a signature that is none, that the first application is to end. */
const forge = async (documents: Documents, decision: string) => {
  const documentId = documents.ids().find((id) => {
    const lane = documents.epochOf(id)?.lane
    return lane?.kind === 'intent' && lane.scope === goldScope
  })
  const epoch = documentId === undefined ? undefined : documents.epochOf(documentId)
  const [author] = epoch?.place.writers ?? []
  if (documentId === undefined || epoch === undefined || author === undefined) return undefined
  const [application, entries] =
    [...((await documents.view(documentId))?.entries ?? [])].find(([, found]) => found.some((one) => !one.retired)) ??
    []
  if (application === undefined || entries === undefined) return undefined
  const [keyId, publicKey] = author
  const signer: Signer = { keyId, publicKey, sign: () => new Uint8Array(64) }
  const end = { child: goldScope, application, version: null, decision, step: 0, seen: [] }
  const [written] = await documents.write(
    [{ documentId, edit: (draft) => writeEntries(draft, [end], epoch.generation) }],
    signer,
  )
  return written?.ok === true ? { documentId, envelopes: written.envelopes.map(({ bytes }) => bytes) } : undefined
}

/** An edge that brings its parent changes of the lane that the parent itself writes for it. */
export const forger = (): Doctor => (machine, powers) => {
  if (machine !== goldEdge) return powers
  const kept = new Map<string, StoreChange>()
  let stream: MeshStream | undefined
  let networkId = ''
  const attack = async () => {
    if (stream === undefined) return
    const documents = await openCopy(powers, [...kept.values()], networkId)
    const forged = await forge(documents, randomHex(powers.random.fork('decision'), 16))
    await documents.close()
    if (forged) await stream.send(encodeMessage({ kind: 'envelopes', ...forged }))
  }
  every(powers, everyMs, () => void attack().catch(() => {}))
  const noting = watchStore(powers, (change) => {
    if (change.key.startsWith('d/')) kept.set(change.key, change)
  })
  const linked = watchDocuments(noting, (made) => {
    stream = made
  })
  return {
    ...linked,
    openMesh: (identity) => {
      networkId = identity.networkId
      return linked.openMesh(identity)
    },
  }
}

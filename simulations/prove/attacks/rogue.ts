import { randomHex, silentLog } from '../../../base/index.ts'
import {
  type Book,
  createBook,
  createDocuments,
  createMemoryDisk,
  type DeploymentVersion,
  type Documents,
  deploymentVersionKind,
  type SignedRecord,
  type Signer,
  type StoreChange,
  sealRecord,
  seedBytes,
} from '../../../crdt/index.ts'
import { encodeMessage } from '../../../crdt/replication/index.ts'
import type { MeshLink, MeshStream } from '../../../mesh/index.ts'
import type { NodePowers } from '../../../node/index.ts'
import { writeEntries } from '../../../node/services/deployments/index.ts'
import type { Doctor } from '../guard.ts'
import { goldScope, northGate } from '../scenes.ts'
import { every, watchChildren, watchStore } from './watched.ts'

const everyMs = 4_000
/** Then it has had its chance, and what it wrote is put right by the honest part of it. */
const lastsMs = 45_000
const versionKey = /^r\/deployment-version\/([0-9a-f]{64})$/

/** What lies on the aggregator's disk, opened a second time. */
const openCopy = async (powers: NodePowers, changes: readonly StoreChange[], networkId: string, times: number) => {
  const store = createMemoryDisk().store()
  await store.open()
  await store.write(changes, { sync: true })
  const log = silentLog
  const book = createBook({ store, powers: powers.authority, log, networkId })
  await book.open()
  const random = powers.random.fork(`rogue ${times}`)
  const documents = createDocuments({ store, networkId: () => networkId, powers: powers.authority, random, log })
  await documents.open()
  return { book, documents }
}

type Version = SignedRecord<DeploymentVersion>

/** What it has the gold site told: a version that is out, and records that come with it. */
interface Lie {
  readonly version: string
  readonly records: readonly Uint8Array[]
}

/** The version that went out before the one that is out. */
const olderThan = (book: Book, ids: Iterable<string>, now: Version): Version | undefined =>
  [...ids]
    .flatMap((id) => book.version(id) ?? [])
    .filter(
      ({ body }) =>
        body.deployment === now.body.deployment &&
        body.signer === now.body.signer &&
        body.order < now.body.order &&
        body.revision !== now.body.revision,
    )
    .toSorted((a, b) => b.body.order - a.body.order)[0]

/** Names the older version itself. */
const orderOld = (_powers: NodePowers, _now: Version, { id }: Version): Lie => ({ version: id, records: [] })

/** Makes a newer version of the older specification, signed by a key that nobody delegated anything to. */
const invent = ({ authority, random }: NodePowers, now: Version, older: Version): Lie => {
  const signer = authority.signatures.signer(random.fork('nobody').bytes(seedBytes))
  const body = { ...now.body, order: now.body.order + 1, revision: older.body.revision, signer: signer.keyId }
  const { id, bytes } = sealRecord(deploymentVersionKind, body, [signer], authority)
  return { version: id, records: [bytes] }
}

const tell = async (
  { book, documents }: { readonly book: Book; readonly documents: Documents },
  ids: Iterable<string>,
  signer: Signer,
  lieOf: (now: Version, older: Version) => Lie,
  decision: string,
): Promise<readonly Uint8Array[]> => {
  const documentId = documents.ids().find((id) => {
    const lane = documents.epochOf(id)?.lane
    return lane?.kind === 'intent' && lane.scope === goldScope
  })
  const epoch = documentId === undefined ? undefined : documents.epochOf(documentId)
  if (documentId === undefined || epoch === undefined) return []
  for (const [application, [entry]] of (await documents.view(documentId))?.entries ?? []) {
    const now = book.version(entry?.version ?? '')
    const older = now && olderThan(book, ids, now)
    if (now === undefined || older === undefined) continue
    const { version, records } = lieOf(now, older)
    const write = { child: goldScope, application, version, decision, step: 0, seen: [] }
    const [written] = await documents.write(
      [{ documentId, edit: (draft) => writeEntries(draft, [write], epoch.generation) }],
      signer,
    )
    if (written?.ok !== true) return []
    const envelopes = written.envelopes.map(({ bytes }) => bytes)
    return [
      ...(records.length > 0 ? [encodeMessage({ kind: 'records', records, isLast: false })] : []),
      encodeMessage({ kind: 'envelopes', documentId, envelopes }),
    ]
  }
  return []
}

/** An aggregator that may say when, and wants to say what too: it has its gold site go back to an older version. */
const rogue = (lieOf: (powers: NodePowers, now: Version, older: Version) => Lie) => (): Doctor => (machine, powers) => {
  if (machine !== northGate) return powers
  const kept = new Map<string, StoreChange>()
  const versions = new Set<string>()
  const streams = new Set<MeshStream>()
  const links = new Set<MeshLink>()
  let isOver = false
  let times = 0
  let identity: { readonly seed: Uint8Array; readonly networkId: string } | undefined
  const startedMs = powers.clock.monotonicMs()
  const attack = async () => {
    if (isOver) return
    if (powers.clock.monotonicMs() - startedMs > lastsMs) {
      isOver = true
      // Who joins anew compares all it holds.
      for (const link of links) await link.close()
      return
    }
    if (identity === undefined) return
    times++
    const copy = await openCopy(powers, [...kept.values()], identity.networkId, times)
    const signer = powers.authority.signatures.signer(identity.seed)
    const lie = (now: Version, older: Version) => lieOf(powers, now, older)
    const messages = await tell(copy, versions, signer, lie, randomHex(powers.random.fork(`decision ${times}`), 16))
    await copy.documents.close()
    for (const stream of streams)
      for (const message of messages) await stream.send(message).catch(() => streams.delete(stream))
  }
  every(powers, everyMs, () => void attack().catch(() => {}))
  const noting = watchStore(powers, (change) => {
    kept.set(change.key, change)
    const [, version] = versionKey.exec(change.key) ?? []
    if (version !== undefined) versions.add(version)
  })
  const watched = watchChildren(noting, (link, stream) => {
    links.add(link)
    streams.add(stream)
  })
  return {
    ...watched,
    openMesh: (own) => {
      identity = own
      return watched.openMesh(own)
    },
  }
}

export const downgrader = rogue(orderOld)
export const inventor = rogue(invent)

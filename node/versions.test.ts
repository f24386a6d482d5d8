import { randomBytes } from 'node:crypto'
import test from 'ava'
import { silentLog } from '../base/index.ts'
import {
  type Book,
  createKeyedSignatures,
  type DeploymentVersion,
  deploymentVersionKind,
  nodeHash,
  readRecord,
  type SignedRecord,
  sealRecord,
  toHex,
} from '../crdt/index.ts'
import { createMemoryNetwork, type MeshLink } from '../mesh/index.ts'
import { answer, ask, type LinkAnswer } from './links/index.ts'
import { answerVersions, fetchVersions, type VersionShelf } from './versions.ts'

const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
const signer = powers.signatures.signer(nodeHash.sha256(Buffer.from('signer')))
const idNamed = (name: string) => toHex(nodeHash.sha256(Buffer.from(name)))
const revisionOf = (bytes: Uint8Array) => toHex(nodeHash.sha256(bytes))

const versionOf = (order: number, specification: Uint8Array): SignedRecord<DeploymentVersion> =>
  sealRecord(
    deploymentVersionKind,
    {
      network: idNamed('network'),
      tenant: idNamed('tenant').slice(0, 32),
      signer: signer.keyId,
      deployment: idNamed('deployment').slice(0, 32),
      application: idNamed('application').slice(0, 32),
      order,
      revision: revisionOf(specification),
      placement: '',
      name: 'everywhere',
      secrets: [],
    },
    [signer],
    powers,
  )

type VersionBook = Pick<Book, 'version' | 'take'>

/** A book that believes all versions: who signed them is no question of this exchange. */
const bookWith = (records: readonly SignedRecord<DeploymentVersion>[]): VersionBook => {
  const held = new Map(records.map((record) => [record.id, record]))
  return {
    version: (id) => held.get(id),
    take: async (some) => {
      for (const bytes of some) {
        const read = readRecord(deploymentVersionKind, bytes, powers)
        if (read.ok) held.set(read.record.id, read.record)
      }
      return []
    },
  }
}

const linkOf = async (serve: (question: unknown) => Promise<{ head: unknown }>): Promise<MeshLink> => {
  const network = createMemoryNetwork()
  const [parent, child] = [network.createMesh('aa'.repeat(32), 'parent'), network.createMesh('bb'.repeat(32))]
  parent.onLink((link) => parent.onStream(link, (stream) => void answer(stream, serve)))
  await Promise.all([parent.start(), child.start()])
  return child.dial('parent', { timeoutMs: 1_000 })
}

const shelfOf = (pairs: readonly (readonly [SignedRecord<DeploymentVersion>, Uint8Array])[]): VersionShelf => ({
  book: bookWith(pairs.map(([record]) => record)),
  mayHave: () => true,
  specification: async (revision) => pairs.find(([, bytes]) => revisionOf(bytes) === revision)?.[1],
})

const taking = () => {
  const book = bookWith([])
  const kept = new Map<string, Uint8Array>()
  const keepSpecification = async (revision: string, bytes: Uint8Array) => void kept.set(revision, bytes)
  return { kept, book, taker: { book, hash: nodeHash, log: silentLog, keepSpecification } }
}

const once = (head: unknown): LinkAnswer => ({ head, body: (async function* (): AsyncGenerator<Uint8Array> {})() })

test('a version comes with the specification it names, in one answer', async (t) => {
  const specification = Buffer.from('specification')
  const version = versionOf(1, specification)
  const link = await linkOf((question) => answerVersions(question, shelfOf([[version, specification]])))
  const { book, kept, taker } = taking()
  await fetchVersions([version.id], taker, (question) => ask(link, 'versions', question))
  t.is(book.version(version.id)?.id, version.id)
  t.deepEqual(Buffer.from(kept.get(version.body.revision) ?? []), specification)
})

test('what a child may not have, and what the disk spoiled, is left out', async (t) => {
  const [open, closed, spoiled] = ['open', 'closed', 'spoiled'].map((text) => Buffer.from(text)) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  const versions = [versionOf(1, open), versionOf(2, closed), versionOf(3, spoiled)] as const
  const shelf = shelfOf([
    [versions[0], open],
    [versions[1], closed],
    [versions[2], spoiled],
  ])
  const { head } = await answerVersions(
    { v: 1, ids: versions.map(({ id }) => id) },
    {
      ...shelf,
      mayHave: (id) => id !== versions[1].id,
      specification: async (revision) => {
        if (revision === versions[2].body.revision) throw new Error('damaged')
        return shelf.specification(revision)
      },
    },
  )
  const { records, specifications } = head as { records: string[]; specifications: string[] }
  t.deepEqual(records.length, 2)
  t.deepEqual(specifications, [open.toString('base64')])
})

test('specifications that do not fit beside the versions are left to be asked for by themselves', async (t) => {
  const large = [1, 2, 3].map(() => randomBytes(100 * 1024))
  const pairs = large.map((bytes, at) => [versionOf(at + 1, bytes), bytes] as const)
  const { head } = await answerVersions({ v: 1, ids: pairs.map(([{ id }]) => id) }, shelfOf(pairs))
  const { records, specifications } = head as { records: string[]; specifications: string[] }
  t.is(records.length, 3)
  t.is(specifications.length, 2)
})

test('bytes that no version asked for names are not kept', async (t) => {
  const specification = Buffer.from('specification')
  const version = versionOf(1, specification)
  const { kept, taker } = taking()
  const other = Buffer.from('something else')
  const head = {
    v: 1,
    records: [Buffer.from(version.bytes).toString('base64')],
    specifications: [other.toString('base64'), specification.toString('base64')],
  }
  await fetchVersions([version.id], taker, async () => once(head))
  t.deepEqual([...kept.keys()], [version.body.revision])
})

test('a link answers more questions for versions than it may have streams open', async (t) => {
  const specification = Buffer.from('specification')
  const version = versionOf(1, specification)
  const link = await linkOf((question) => answerVersions(question, shelfOf([[version, specification]])))
  const { book, taker } = taking()
  for (let at = 0; at < 1_100; at++)
    await fetchVersions([version.id], taker, (question) => ask(link, 'versions', question))
  t.is(book.version(version.id)?.id, version.id)
})

import { join } from 'node:path'
import test from 'ava'
import { createSeededRandom, parseScopePath, silentLog, sleep } from '../../base/index.ts'
import {
  type Book,
  depositKind,
  fromHex,
  keyIdOf,
  nodeHash,
  nodeSealing,
  readRecord,
  type Signer,
  sealRecord,
  toHex,
} from '../../crdt/index.ts'
import type { Mesh, MeshLink } from '../../mesh/index.ts'
import type { KeptKey } from '../identity.ts'
import { answer, ask } from '../links/index.ts'
import { createStateFile, systemClock } from '../powers/index.ts'
import { isShared } from '../reading.ts'
import { readListedScope, type SiblingPeer } from '../services/membership/index.ts'
import { blobTag, packDeposit, readDeposit, writeDeposit } from '../services/siblings/index.ts'
import { asked, until } from '../tree-scene.contract.ts'
import { createSiblingDesk } from './index.ts'
import { siblingLinkLimits } from './sibling-link.ts'
import { type HeldDisk, openDisk, powers, startSiblings } from './sibling-scene.contract.ts'

const site2 = parseScopePath('/south/s2')
const south = parseScopePath('/south')

const helloOf = ({ certificate, networkId }: HeldDisk) => ({
  v: 1,
  network: networkId,
  certificate: Buffer.from(certificate).toString('base64'),
})
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const drain = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}
const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error)

test('a door gives a sibling what is sealed to it and blobs both know, and strangers nothing', async (t) => {
  t.timeout(120_000)
  const tree = await startSiblings(t)
  await tree.stop('s2-a')
  const held = await openDisk(tree, 's2-a')
  const call = async (key: string): Promise<MeshLink> => tree.network.createMesh(key).dial('s1-a', { timeoutMs: 1_000 })
  const greet = async (link: MeshLink, hello: unknown) =>
    (await ask(link, 'sibling', hello)).head as { kind: string; nonce: string }

  // Nothing is heard before the hello, and a bad one is answered alike whatever was bad.
  const stranger = await call('ee'.repeat(32))
  await t.throwsAsync(ask(stranger, 'deposit', { v: 1 }))
  t.like(await greet(stranger, helloOf(held)), { kind: 'refused' }, 'a certificate of another key')
  await t.throwsAsync(ask(stranger, 'deposit', { v: 1 }))
  for (const hello of [null, { v: 1 }, { ...helloOf(held), network: 'ab'.repeat(32) }])
    t.deepEqual(await greet(await call(held.key), hello), { v: 1, kind: 'refused' } as never)
  const long = await call(held.key)
  await t.throwsAsync(ask(long, 'sibling', { ...helloOf(held), certificate: 'A'.repeat(40_000) }))

  const link = await call(held.key)
  const { kind, nonce } = await greet(link, helloOf(held))
  t.is(kind, 'welcome')
  const { head, body } = await ask(link, 'deposit', { v: 1 })
  const { deposits } = head as { deposits: { record: string; sizeBytes: number }[] }
  t.is(deposits.length, 1)
  const sealed = await drain(body)
  const record = readRecord(depositKind, new Uint8Array(Buffer.from(deposits[0]?.record ?? '', 'base64')), powers)
  t.true(record.ok && record.record.body.reader === held.key)
  const context = { networkId: held.networkId, use: 'sibling-deposit' } as const
  const file = createStateFile<KeptKey>(join(tree.folder, 's2-a', 'key.json'))
  const opened = nodeSealing.reader(fromHex(file.load()?.seed ?? '')).open(sealed, context)
  t.true(opened.ok, 'it opens with the key of its reader')
  const other = createStateFile<KeptKey>(join(tree.folder, 's1-a', 'key.json'))
  t.false(nodeSealing.reader(fromHex(other.load()?.seed ?? '')).open(sealed, context).ok, 'and not with its keeper’s')

  // A blob is had by what both know of it; held and not allowed, and not held, are answered alike.
  const tenant = held.book.tenants()[0]?.id ?? ''
  const [version] = opened.ok ? versionsIn(opened.bytes, held.book) : []
  const tag = (digest: string, of = { nonce, tenant }) => blobTag({ ...of, digest }, nodeHash)
  const got = await ask(link, 'blob', { v: 1, tag: tag(`sha256:${version}`), offset: 0 })
  t.is(toHex(nodeHash.sha256(await drain(got.body))), version ?? '')
  const refusals: string[] = []
  for (const wrong of [
    tag(`sha256:${'00'.repeat(32)}`),
    tag(`sha256:${version}`, { nonce: '00'.repeat(32), tenant }),
    tag(`sha256:${version}`, { nonce, tenant: '00'.repeat(16) }),
  ])
    refusals.push(
      await ask(link, 'blob', { v: 1, tag: wrong, offset: 0 }).then(
        () => 'given',
        (error: Error) => `${codeOf(error)} ${error.message}`,
      ),
    )
  t.is(new Set(refusals).size, 1, refusals.join())
  t.regex(refusals[0] ?? '', /^not-held /)
  t.is((await ask(link, 'blob', { v: 1, digest: 'x' }).catch(codeOf)) as string, 'bad-message')
  await t.throwsAsync(ask(link, 'request', {}))

  // A flood of callers finds no room, and the door opens again once they are gone.
  const flood = await Promise.all(Array.from({ length: siblingLinkLimits.links + 5 }, () => call('dd'.repeat(32))))
  const isGone = (one: MeshLink) =>
    Promise.race([one.closed.then(() => true), sleep(systemClock, 200).then(() => false)])
  const gone = (await Promise.all(flood.map(isGone))).filter(Boolean).length
  t.true(gone >= 5, `${gone} were hung up on`)
  for (const one of flood) await one.close()
  await until('the door to open', async () =>
    greet(await call(held.key), helloOf(held)).then(
      (said) => (said.kind === 'welcome' ? true : undefined),
      () => undefined,
    ),
  )

  // Blocked while its link is open: the next question is refused, and the deposit is gone.
  await tree.node('south-agg').services.members.block({ kind: 'host', host: 's2-a' }, asked)
  const cut = await until('the block to reach the sibling', async () =>
    ask(link, 'deposit', { v: 1 }).then(
      async ({ body }) => {
        await drain(body)
        return undefined
      },
      (error: unknown) => codeOf(error),
    ),
  )
  t.true(['not-held', 'link-lost'].includes(cut), cut)
  t.like(await greet(await call(held.key), helloOf(held)), { kind: 'refused' })
})

/** Revisions that signed versions in a deposit name. */
const versionsIn = (bytes: Uint8Array, book: Book): readonly string[] => {
  const content = readDeposit(bytes)
  if (content === undefined || content === 'newer-format') return []
  return content.records.flatMap((record) => {
    const id = /"revision":"([0-9a-f]{64})"/.exec(Buffer.from(record).toString('latin1'))?.[1]
    return id === undefined || book.tenants().length === 0 ? [] : [id]
  })
}

test('a desk believes nobody at a sibling’s address, and goes back to nothing older', async (t) => {
  t.timeout(120_000)
  const tree = await startSiblings(t)
  await tree.stop('s2-a')
  const held = await openDisk(tree, 's2-a')
  const lane = held.documents.idOf({ kind: 'member', scope: site2 }) ?? ''
  const { peers } = readListedScope(await held.documents.standing(lane))
  t.is(peers.length, 1, 'it knows one sibling, by id, key and address')
  t.deepEqual(Object.keys(peers[0] ?? {}).toSorted(), ['address', 'key', 'site'])
  const keeper = tree.keys.get('s1-a') ?? ''
  const thief = await (async () => {
    await tree.stop('s1-a')
    await tree.stop('south-agg')
    return openDisk(tree, 's1-a')
  })()
  const file = createStateFile<KeptKey>(join(tree.folder, 's2-a', 'key.json'))
  const reader = nodeSealing.reader(fromHex(file.load()?.seed ?? ''))

  const fences = () => held.documents.ids().map((id) => [id, held.documents.summaryOf(id)?.heads])
  const ask2 = async (rogue: Rogue, at: readonly SiblingPeer[]) => {
    const mesh = tree.network.createMesh(rogue.key, rogue.address)
    serveAs(mesh, rogue)
    await mesh.start()
    const desk = createSiblingDesk({
      mesh: tree.network.createMesh(held.key),
      clock: systemClock,
      random: createSeededRandom(3),
      log: silentLog,
      networkId: held.networkId,
      scope: site2,
      zone: south,
      keyId: held.signer.keyId,
      peerKey: held.key,
      reader,
      book: held.book,
      documents: held.documents,
      powers,
      mayBring: (name) => isShared(name, south, site2),
      peers: async () => at,
      onReached: () => {},
    })
    desk.begin()
    const state = await until('the desk to have tried', () =>
      desk.state().kind === 'waiting' ? undefined : desk.state(),
    )
    await desk.stop()
    await mesh.stop()
    return state
  }
  const own = { key: keeper, address: 's1-a', certificate: thief.certificate, networkId: held.networkId }
  const site = peers[0]?.site ?? ''
  const here: readonly SiblingPeer[] = [{ site, key: keeper, address: 's1-a' }]

  t.like(await ask2({ ...own, key: 'ee'.repeat(32), deposits: [] }, here), {
    kind: 'none',
    reason: 'another host answers at s1-a than the sibling the parent named',
  })
  const impostor = await ask2({ ...own, certificate: held.certificate, deposits: [] }, here)
  t.regex(impostor.kind === 'none' ? impostor.reason : '', /^the host at a sibling's address is none: /)
  t.like(await ask2({ ...own, deposits: [] }, here), { kind: 'none', reason: 'a sibling keeps nothing for this host' })
  t.like(await ask2({ ...own, deposits: [] }, []), { kind: 'none', reason: 'the parent named none' })

  // Deposits that a thief of the keeper's disk makes: sealed to the reader, as anybody can, and vouched for by its own key.
  const before = fences()
  const parent = await openDisk(tree, 'south-agg')
  const make = (
    signer: Signer,
    number: number,
    plain: Uint8Array,
    change: { reader?: string; sealed?: Uint8Array } = {},
  ) => {
    const context = { networkId: held.networkId, use: 'sibling-deposit' } as const
    const sealed = nodeSealing.seal(plain, reader.publicKey, context, new Uint8Array(32).fill(number))
    const zone = held.book.ownerAt('/south', 'zone')?.id ?? ''
    const body = {
      network: held.networkId,
      zone,
      site,
      reader: change.reader ?? held.key,
      number,
      sealed: toHex(nodeHash.sha256(sealed)),
    }
    return { record: sealRecord(depositKind, body, [signer], powers).bytes, sealed: change.sealed ?? sealed }
  }
  const nothing = writeDeposit({ records: [], lanes: [] })
  const forged: readonly (readonly [what: string, deposit: { record: Uint8Array; sealed: Uint8Array }])[] = [
    ['signed by the keeper', make(thief.signer, 900, nothing)],
    ['for another host', make(parent.signer, 900, nothing, { reader: keeper })],
    ['with other bytes', make(parent.signer, 900, nothing, { sealed: new Uint8Array(80) })],
    ['of nothing readable', make(parent.signer, 900, Uint8Array.of(1, 2, 3))],
  ]
  for (const [what, deposit] of forged)
    t.like(await ask2({ ...own, deposits: [deposit] }, here), { kind: 'none' }, what)

  // A true parent's key that leaves garbage, or lanes of another site, changes nothing either.
  const lanes = await Promise.all(
    parent.documents.ids().map(async (document) => ({
      document,
      genesis: (await parent.documents.genesisOf(document)) ?? new Uint8Array(0),
      envelopes: await parent.documents.envelopes(document, new Set(await parent.documents.hashes(document))),
    })),
  )
  const all = packDeposit([], [], lanes)
  t.is(all?.lanes.length, lanes.length)
  const foreign = lanes.filter(({ document }) => held.documents.epochOf(document) === undefined)
  t.true(foreign.length > 0, 'there are lanes this site does not hold')
  t.like(
    await ask2({ ...own, deposits: [make(parent.signer, 901, writeDeposit(all ?? { records: [], lanes: [] }))] }, here),
    {
      kind: 'repaired',
    },
  )
  t.deepEqual(fences(), before, 'what it held stays as it was, and no lane of others came in')

  // An older deposit, replayed: only the first envelope of each lane.
  const older = lanes.map((one) => ({ ...one, envelopes: one.envelopes.slice(0, 1) }))
  await ask2({ ...own, deposits: [make(parent.signer, 1, writeDeposit({ records: [], lanes: older }))] }, here)
  t.deepEqual(fences(), before, 'no fence went back')
  t.is(keyIdOf(fromHex(held.key), nodeHash), held.signer.keyId)
})

interface Rogue {
  readonly key: string
  readonly address: string
  readonly certificate: Uint8Array
  readonly networkId: string
  readonly deposits: readonly { readonly record: Uint8Array; readonly sealed: Uint8Array }[]
}

/** A host that says what it likes at a sibling's address. */
const serveAs = (mesh: Mesh, { certificate, deposits }: Rogue): void => {
  mesh.onLink((link) => {
    mesh.onStream(link, (stream) => {
      const work = async () => {
        if (stream.purpose === 'sibling')
          return {
            head: { v: 1, kind: 'welcome', certificate: base64(certificate), nonce: '0a'.repeat(32), records: [] },
          }
        const body = async function* () {
          for (const { sealed } of deposits) yield sealed
        }
        return {
          head: {
            v: 1,
            deposits: deposits.map(({ record, sealed }) => ({ record: base64(record), sizeBytes: sealed.length })),
          },
          body: body(),
        }
      }
      answer(stream, work).catch(() => link.close())
    })
  })
}

import { type ScopePath, SkerryError } from '../../base/index.ts'
import type { ExplainView } from '../../node/index.ts'
import { type Attacker, startAttacker } from './attacker.ts'
import {
  forgeriesOf,
  freshSigner,
  type Invention,
  inventionsOf,
  orderVersion,
  type StolenLane,
  stolenLane,
} from './forgeries.ts'
import { logEnd, logSince } from './node-log.ts'
import {
  answered,
  type DemoStep,
  type Evidence,
  edgesBelow,
  endNode,
  greetingOf,
  isSame,
  linked,
  must,
  nodeView,
  pidsOfSites,
  settledSites,
  standingVersion,
} from './step.ts'
import { type StolenDisk, stealDisk, versionsOnDisk } from './stolen-disk.ts'
import type { DemoNode, World } from './world.ts'

/** The aggregator that is robbed: the last one of a zone with two sites, as the other steps are shown at the first. */
const victimOf = (world: World): DemoNode | undefined =>
  world
    .nodes()
    .filter(
      ({ role, scope }) => role === 'aggregator' && new Set(edgesBelow(world, scope).map(({ site }) => site)).size > 1,
    )
    .at(-1)

const shortKey = ({ signer }: StolenDisk): string => `${signer.keyId.slice(0, 16)}…`

/** Waits until the host has refused something under a code since then; answers its words. */
const refusal = (world: World, host: DemoNode, from: number, code: string): Promise<string> =>
  world.until(`${host.name} to refuse as ${code}`, 20_000, async () => {
    const line = logSince(host, from).find((one) => one.code === code)
    return line && (line.why ?? line.message)
  })

const forge = async (
  world: World,
  attacker: Attacker,
  host: DemoNode,
  disk: StolenDisk,
  lanes: readonly StolenLane[],
) => {
  const [lane, other] = lanes as readonly [StolenLane, StolenLane]
  const from = logEnd(host)
  const refused = []
  for (const { attack, code, envelopes } of forgeriesOf(disk, lane, other)) {
    await attacker.bring(host.name, lane.documentId, envelopes)
    refused.push({ attack, refused: code, words: await refusal(world, host, from, code) })
  }
  return refused
}

/** The specification of the shop with another page, as bytes that pass for one. */
const otherPage = async ({ blobs }: StolenDisk, { version }: StolenLane): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of blobs.read(`sha256:${version.body.revision}`) ?? []) parts.push(part)
  const text = Buffer.concat(parts).toString()
  must(text.includes('hello from shop'), 'the stolen disk has no specification of the shop')
  return Buffer.from(text.replace('hello from shop', 'taken over by a thief'))
}

/** The former version of the shop that is nearest to the one that runs, signed by the same key. */
const formerVersion = async (disk: StolenDisk, { version: { body } }: StolenLane): Promise<Invention> => {
  const former = (await versionsOnDisk(disk)).findLast(
    (one) => one.body.signer === body.signer && one.body.order < body.order && one.body.revision !== body.revision,
  )
  if (former === undefined) throw new SkerryError('not-shown', 'the stolen disk has no former version of the shop')
  return { attack: 'going back: a former version, really signed by the tower', code: 'stale', record: former }
}

/** What the host says of the shop: that it runs what it accepted, and what it refused since. */
const explained = (world: World, host: DemoNode, words: string): Promise<string> =>
  world.until(`${host.name} to explain its refusal`, 10_000, async () => {
    const told = await world.get<ExplainView>(host, `/v1/state/applications/shop/explain?site=${host.site}`)
    const text = told.links.find(({ step }) => step === 'accepted')?.text
    return told.ok && text?.includes(words) ? text : undefined
  })

const invent = async (world: World, attacker: Attacker, host: DemoNode, disk: StolenDisk, lane: StolenLane) => {
  const from = logEnd(host)
  const specification = await otherPage(disk, lane)
  const inventions = inventionsOf(disk, lane, freshSigner(disk), specification)
  for (const { record } of inventions) {
    attacker.loot.versions.set(record.id, record.bytes)
    attacker.loot.blobs.set(`sha256:${record.body.revision}`, specification)
  }
  const refused = []
  for (const { attack, code, record } of [...inventions, await formerVersion(disk, lane)]) {
    await orderVersion(disk, attacker, lane, host.scope, record.id)
    const words = await refusal(world, host, from, code)
    // Of what was made up the host has no specification, so it cannot tell by name which application it is of.
    const hasName = code === 'stale'
    refused.push({ attack, refused: code, words, ...(hasName && { explain: await explained(world, host, words) }) })
  }
  must(
    inventions.every(({ record }) => attacker.asked().includes(record.id)),
    `${host.name} refused inventions that it never fetched`,
  )
  return { 'entries-signed-by': shortKey(disk), fetched: inventions.length, refused }
}

/** The thief goes, the real one comes back from its own disk and takes back what was told in its name. */
const recovered = async (world: World, victim: DemoNode, host: DemoNode): Promise<string> => {
  const from = logEnd(victim)
  await world.upOnly(victim.name)
  for (const edge of edgesBelow(world, victim.scope)) await linked(world, edge)
  return world.until(`${victim.name} to tell ${host.site} anew`, 20_000, async () => {
    const lines = logSince(victim, from).filter(({ part }) => part.endsWith('.deployments'))
    return lines.find(({ message }) => message.includes(` at ${host.scope} `))?.message
  })
}

const attack = async (world: World, victim: DemoNode, address: string): Promise<Evidence> => {
  const edges = edgesBelow(world, victim.scope)
  const host = edges[0] as DemoNode
  const other = edges.find(({ site }) => site !== host.site) as DemoNode
  const disk = await stealDisk(world.home, victim)
  try {
    const attacker = await startAttacker({ disk, name: victim.name, scope: victim.scope as ScopePath, address })
    try {
      await world.until('the sites to call the thief', 60_000, async () =>
        edges.every(({ name }) => attacker.children().includes(name)) ? true : undefined,
      )
      const lane = await stolenLane(disk, attacker, host.scope, victim.scope)
      const foreign = await stolenLane(disk, attacker, other.scope, victim.scope)
      const forged = await forge(world, attacker, host, disk, [lane, foreign])
      const invented = await invent(world, attacker, host, disk, lane)
      return {
        thief: { key: shortKey(disk), certificate: disk.book.certificateOf(disk.signer.keyId)?.body.number },
        'took-it-for-their-parent': attacker.children(),
        forged,
        invented,
      }
    } finally {
      await attacker.stop()
    }
  } finally {
    await disk.close()
  }
}

export const attacksRefused: DemoStep = {
  name: 'attacks-refused',
  brief: 'forged, replayed and invented changes, with a stolen key and disk',
  proves:
    'who steals the key and the disk of an aggregator becomes the parent of its sites, and still cannot forge a change, replay one elsewhere, invent what runs without a delegation, or go back to a former version. (With the delegation of its zone it could sign versions for sites of that zone, and only there, until it is blocked.)',
  unproven: (world) => (victimOf(world) ? undefined : 'no zone of this tree has two sites'),
  run: async (world) => {
    const victim = victimOf(world) as DemoNode
    const standing = await standingVersion(world)
    const edges = edgesBelow(world, victim.scope)
    const sites = [...new Set(edges.map(({ site }) => site))]
    for (const edge of edges) await linked(world, edge)
    const before = pidsOfSites(await settledSites(world, standing, sites))
    const [address = ''] = (await nodeView(world, victim)).addresses ?? []
    await endNode(world, victim, 'SIGTERM')
    const evidence = await attack(world, victim, address)
    const during = pidsOfSites(await settledSites(world, standing, sites))
    must(isSame(during, before), `something was restarted: ${JSON.stringify([before, during])}`)
    const toldAnew = await recovered(world, victim, edges[0] as DemoNode)
    const instances = await settledSites(world, standing, sites)
    const body = await answered(world, instances[sites[0] ?? ''] ?? [], greetingOf(standing))
    const after = pidsOfSites(instances)
    must(isSame(after, before), `something was restarted: ${JSON.stringify([before, after])}`)
    return {
      ...evidence,
      'told-anew-by-the-real-one': toldAnew,
      pids: { before, during, 'with-the-real-one-back': after },
      body,
    }
  },
}

import type { Random } from '../../../base/index.ts'
import { type Signer, toHex } from '../../../crdt/index.ts'
import { encodeMessage } from '../../../crdt/replication/index.ts'
import type { Machine, SpokenLink, SpokenStream, World } from '../../world/index.ts'
import { between, done, type Fault, pick, running } from './fault.ts'
import { authorOf, documentOf, equivocation, forgeries, poisonOf } from './forged-changes.ts'

/** A machine in the hands of somebody else: its key, its disk and its links, while its own program goes on too. */
interface Taken {
  readonly machine: Machine
  readonly signer: Signer
  readonly world: World
  readonly random: Random
}

const linksOf = ({ world, machine }: Taken): readonly SpokenLink[] => world.network.spokenBy(machine.place.name)
const streamsOf = (taken: Taken, purpose: string): readonly SpokenStream[] =>
  linksOf(taken).flatMap((link) => link.streams().filter((stream) => stream.purpose === purpose))

/** Changes on its disk. */
const genuine = ({ machine }: Taken): readonly Uint8Array[] =>
  machine.disk.names().stored.flatMap((key) => (/^d\/\w+\/e\//.test(key) ? machine.disk.peek(key) : []))

const bring = (taken: Taken, documentId: string, envelopes: readonly Uint8Array[]) => {
  const message = encodeMessage({ kind: 'envelopes', documentId, envelopes })
  for (const stream of streamsOf(taken, 'documents')) stream.say(message)
}

const madeOf =
  (make: (change: Uint8Array, signer: Signer, random: Random) => readonly Uint8Array[]) => (taken: Taken) => {
    const change = pick(taken.random, genuine(taken))
    if (change) bring(taken, documentOf(change), make(change, taken.signer, taken.random))
  }

const replay = (taken: Taken) => {
  const { random } = taken
  const changes = genuine(taken)
  const [one, other] = [pick(random, changes), pick(random, changes)]
  if (one && other) bring(taken, documentOf(other), [one])
  for (const purpose of ['documents', 'reports'])
    for (const stream of streamsOf(taken, purpose)) {
      const said = pick(random, stream.said)
      if (said) stream.say(said)
    }
}

/** A report with another number somewhere in it, twice over: what it says was signed is not what was signed. */
const lieInReport = (taken: Taken) => {
  for (const stream of streamsOf(taken, 'reports')) {
    const said = stream.said.at(-1)
    if (!said) continue
    for (let times = 0; times < 2; times++) {
      const lie = Uint8Array.from(said)
      const digits = [...lie.keys()].filter((at) => isDigit(lie[at]))
      const at = pick(taken.random, digits)
      if (at !== undefined) lie[at] = zero + (((lie[at] ?? 0) - zero + between(taken.random, 1, 9)) % 10)
      stream.say(lie)
    }
  }
}
const zero = 0x30
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= zero && byte < zero + 10

const flood = (taken: Taken) => {
  const { random } = taken
  const purpose = pick(random, ['documents', 'reports', 'join', 'versions', 'blob', 'request', 'nonsense']) ?? ''
  for (const link of linksOf(taken))
    for (let count = between(random, 1, 40); count > 0; count--)
      void link.open(purpose).then((stream) => stream?.say(random.bytes(between(random, 0, 2_000))))
  const documents = pick(random, streamsOf(taken, 'documents'))
  const noise = random.unit() < 0.3
  for (let count = between(random, 20, 200); count > 0; count--)
    documents?.say(
      noise
        ? random.bytes(between(random, 0, 500))
        : encodeMessage({
            kind: 'want',
            isLast: true,
            holdings: [{ documentId: toHex(random.bytes(16)), state: 'absent' }],
          }),
    )
}

const acts = {
  forge: madeOf((...of) => forgeries(...of)),
  equivocate: madeOf(equivocation),
  replay,
  lieInReport,
  flood,
}
const actEveryMs = [200, 3_000] as const

const take = (machine: Machine, world: World, random: Random): Taken | undefined => {
  const signer = machine.signer()
  return signer && { machine, signer, world, random: random.fork(`hostile ${world.nowMs()}`) }
}

export const hostile = {
  'hostile-edge': {
    name: 'hostile-edge',
    lastsMs: [10_000, 40_000],
    begin: (world, random) => {
      const machine = pick(
        random,
        running(world, 'edge').filter(({ place }) => world.network.spokenBy(place.name).length > 0),
      )
      const taken = machine && take(machine, world, random)
      if (!taken) return undefined
      let isOver = false
      const again = () => {
        if (isOver) return
        const name = pick(taken.random, Object.keys(acts) as (keyof typeof acts)[]) ?? 'forge'
        if (!taken.machine.isAsleep()) {
          world.note(`hostile ${taken.machine.place.name}: ${name}`)
          acts[name](taken)
        }
        world.at(world.nowMs() + between(taken.random, ...actEveryMs), 'hostile', again)
      }
      again()
      return {
        text: `${taken.machine.place.name} forges, equivocates, replays, lies in reports and floods`,
        end: () => {
          isOver = true
        },
      }
    },
  },
  'poison-change': {
    name: 'poison-change',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const machine = pick(
        random,
        running(world).filter(({ place }) => place.role !== 'edge' && world.network.spokenBy(place.name).length > 0),
      )
      const taken = machine && take(machine, world, random)
      if (!taken) return undefined
      const own = pick(
        taken.random,
        genuine(taken).filter((change) => authorOf(change) === taken.signer.keyId),
      )
      if (!own) return undefined
      const { what, envelope } = poisonOf(own, taken.signer, taken.random)
      const documentId = documentOf(own)
      const holders = streamsOf(taken, 'documents').filter(({ to }) =>
        world
          .machine(to)
          .disk.names()
          .stored.some((key) => key.startsWith(`d/${documentId}/`)),
      )
      if (holders.length === 0) return undefined
      for (const stream of holders) stream.say(encodeMessage({ kind: 'envelopes', documentId, envelopes: [envelope] }))
      const to = holders.map((stream) => stream.to).join(' ')
      return done(`${taken.machine.place.name} signs ${what} in ${documentId.slice(0, 8)} and hands it to ${to}`)
    },
  },
} as const satisfies Readonly<Record<string, Fault>>

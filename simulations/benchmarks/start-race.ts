import { join } from 'node:path'
import { errorText } from '../../base/index.ts'
import { againstPeer, type BenchOptions, type BenchRow, withoutPeer } from './bench-row.ts'
import { openCtr } from './ctr.ts'
import { openOwnEngine, timeOurs, withoutNetworks } from './own-engine.ts'
import type { Peer } from './peer.ts'
import { openPodman } from './podman.ts'

/** Containers from one image, from their specification to all running. */
const count = 20
const bar = 0.8

interface Race {
  readonly what: string
  readonly peerName: string
  readonly ours: () => Promise<number>
  readonly open: () => Promise<Peer>
}

/** Ours and the peer in turns, the first of each round changing, after one round that only warms up. */
const race = async ({ what, peerName, ours, open }: Race, { runs, say, signal }: BenchOptions): Promise<BenchRow> => {
  const times = { ours: [] as number[], peer: [] as number[] }
  let peer: Peer | undefined
  let why = ''
  try {
    peer = await open()
    await peer.time(2)
  } catch (error) {
    why = `${peerName} cannot run here: ${errorText(error).trim().split('\n').slice(0, 2).join(' ')}`
    await peer?.remove()
    peer = undefined
  }
  try {
    await ours()
    for (let round = 0; round < runs && !signal.aborted; round++) {
      if (round % 2 === 0) times.ours.push(await ours())
      if (peer) times.peer.push(await peer.time(count))
      if (round % 2 === 1) times.ours.push(await ours())
      const [mine, theirs] = [times.ours.at(-1) ?? 0, times.peer.at(-1)]
      say(
        `${what} ${round + 1}/${runs}: ours ${mine.toFixed(0)} ms${theirs === undefined ? '' : `, ${peerName} ${theirs.toFixed(0)} ms`}`,
      )
    }
    signal.throwIfAborted()
    return peer ? againstPeer(what, 'ms', bar, times) : withoutPeer(what, 'ms', bar, times.ours, why)
  } finally {
    await peer?.remove()
  }
}

/** Rows `ctr` and `podman`. @param dir a folder of the benchmark's own */
export const startRaces = async (dir: string, options: BenchOptions): Promise<readonly BenchRow[]> => {
  const engine = await openOwnEngine(join(dir, 'engine'))
  try {
    const { containers, image, archive } = engine
    const bare = withoutNetworks(containers)
    const ctr = await race(
      { what: 'ctr', peerName: 'ctr', ours: () => timeOurs(bare, image, count), open: () => openCtr(engine) },
      options,
    )
    const podman = await race(
      {
        what: 'podman',
        peerName: 'podman',
        ours: () => timeOurs(containers, image, count),
        open: () => openPodman(archive, options.say),
      },
      options,
    )
    return [ctr, podman]
  } finally {
    for (const left of await engine.remove()) options.say(`could not remove: ${left}`)
  }
}

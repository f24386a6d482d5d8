import type { Topology, Zone } from '../../topologies/index.ts'
import type { World } from '../world/index.ts'
import type { PlannedStep, Target } from './plan.ts'
import { guestLabel } from './shown-application.ts'

export type Harmful = Extract<PlannedStep, { readonly kind: 'cut' | 'power' | 'clock' | 'label' }>

/** What is broken in a world now. Harms may overlap: a way is open again when the last cut over it is healed. */
export interface Harms {
  begin(step: Harmful): void
  /** Ends one harm; harmless when it is over. */
  end(step: Harmful): void
  /** Ends what was done to a target under this name. @returns the steps that ended */
  heal(target: Target | 'all'): readonly Harmful[]
  underWay(): readonly Harmful[]
  /** Whether a site has the label of the second application now. */
  isLabelled(site: string): boolean
}

/** Whether a step breaks something that is mended later. */
export const isHarmful = (step: PlannedStep): step is Harmful => 'untilMs' in step

/** Pairs of machines that ever talk to each other, one of them inside. */
const waysAcross = ({ machines }: World, inside: ReadonlySet<string>): readonly (readonly [string, string])[] =>
  machines.flatMap(({ place }) => {
    const beside = machines.filter((one) => one.place.parents[0] === place.parents[0])
    const others = [...place.parents, ...(place.role === 'edge' ? beside.map((one) => one.place.name) : [])]
    return others
      .filter((other) => inside.has(place.name) !== inside.has(other))
      .flatMap((other) => [[place.name, other] as const, [other, place.name] as const])
  })

/** The same tree, with the label of the second application at some sites. */
const withLabels = (topology: Topology, labelled: ReadonlySet<string>): Topology => {
  const relabelled = (zone: Zone): Zone => ({
    ...zone,
    zones: zone.zones.map(relabelled),
    sites: zone.sites.map((site) =>
      labelled.has(site.name) ? { ...site, labels: { ...site.labels, [guestLabel.key]: guestLabel.value } } : site,
    ),
  })
  return { ...topology, root: relabelled(topology.root) }
}

const isAround = (zone: string, path: string): boolean => zone === '/' || path === zone || path.startsWith(`${zone}/`)

/** Counts, so that what two harms hold is let go by the last. */
const createHolds = <Key>(first: (key: Key) => void, last: (key: Key) => void) => {
  const counts = new Map<Key, number>()
  return {
    take: (key: Key) => {
      const count = counts.get(key) ?? 0
      counts.set(key, count + 1)
      if (count === 0) first(key)
    },
    release: (key: Key) => {
      const count = (counts.get(key) ?? 1) - 1
      counts.set(key, count)
      if (count === 0) last(key)
    },
  }
}

export const createHarms = (world: World): Harms => {
  const undo = new Map<Harmful, () => void>()
  const { paths } = world.network
  const splitWay = (way: string) => way.split('>') as [string, string]
  const ways = createHolds<string>(
    (way) => paths.close(...splitWay(way)),
    (way) => paths.open(...splitWay(way)),
  )
  const power = createHolds<string>(
    (name) => world.machine(name).crash('power'),
    (name) => world.machine(name).start(),
  )

  const labelled = new Set<string>()
  /** As with `skerry up` and a file that has changed: whoever reads of the site in it starts anew. */
  const giveLabels = (site: string) => {
    const topology = withLabels(world.topology, labelled)
    const path = world.machines.find(({ place }) => place.site === site && place.role === 'edge')?.place.scope ?? '/'
    for (const machine of world.machines) {
      if (machine.place.role === 'edge' || !isAround(machine.place.scope, path)) continue
      machine.giveTopology(topology)
      if (!machine.isRunning()) continue
      machine.crash('kill')
      machine.start()
    }
  }

  const harm = (step: Harmful): (() => void) => {
    const { machines } = step.target
    if (step.kind === 'label') {
      const { name } = step.target
      labelled.add(name)
      giveLabels(name)
      return () => {
        labelled.delete(name)
        giveLabels(name)
      }
    }
    if (step.kind === 'cut') {
      const across = [...new Set(waysAcross(world, new Set(machines)).map((way) => way.join('>')))]
      for (const way of across) ways.take(way)
      return () => across.forEach(ways.release)
    }
    if (step.kind === 'power') {
      for (const name of machines) power.take(name)
      // Who is above comes up first, as in a rack with one switch.
      return () => machines.forEach(power.release)
    }
    const offsets = machines.map((name) => {
      const { clock } = world.machine(name)
      const offMs = step.readsMs - clock.wallMs()
      clock.setWall(clock.wallMs() + offMs)
      return { clock, offMs }
    })
    return () => {
      for (const { clock, offMs } of offsets) clock.setWall(clock.wallMs() - offMs)
    }
  }
  const end = (step: Harmful) => {
    undo.get(step)?.()
    undo.delete(step)
  }

  return {
    begin: (step) => {
      if (!undo.has(step)) undo.set(step, harm(step))
    },
    end,
    heal: (target) => {
      const healed = [...undo.keys()].filter((step) => target === 'all' || step.target.name === target.name)
      healed.forEach(end)
      return healed
    },
    underWay: () => [...undo.keys()],
    isLabelled: (site) => labelled.has(site),
  }
}

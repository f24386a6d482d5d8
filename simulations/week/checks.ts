import type { ContainerAct, World } from '../world/index.ts'
import type { Check } from './check-names.ts'
import type { VersionLedger } from './ledger.ts'
import { applicationName } from './shown-application.ts'

/**
 * Judges what each host starts and removes by what was asked of the tower: how far a host has come at least is seen from
 * what it starts, and from there it may only go on.
 */
const createProgress = (ledger: VersionLedger) => {
  const reached = new Map<string, number>()
  return {
    /** False when the version is none that was asked for since what the host ran before. */
    started: (machine: string, version: string): boolean => {
      const from = reached.get(machine) ?? 0
      const at = ledger.history().findIndex(({ versions }, index) => index >= from && versions.has(version))
      reached.set(machine, Math.max(from, at))
      return at >= 0
    },
    /** Whether anything else was asked for that the host may have come to. */
    mayReplace: (machine: string, version: string): boolean =>
      ledger
        .history()
        .slice(reached.get(machine) ?? 0)
        .some(({ versions }) => [...versions].some((one) => one !== version)),
  }
}

const startOf = (act: ContainerAct) =>
  act.kind === 'start' && act.container.owner.application === applicationName ? act.container : undefined

/** Invariants 4 and 7: nothing healthy is touched, and no site goes back by itself. */
export const checkHosts = (world: World, ledger: VersionLedger): readonly Check[] => {
  const progress = createProgress(ledger)
  const touched: string[] = []
  const back: string[] = []
  const counts = { starts: 0, removals: 0 }

  const act = (machine: string, one: ContainerAct) => {
    const container = startOf(one)
    if (container) {
      counts.starts++
      const { version } = container.owner
      if (!progress.started(machine, version))
        back.push(`${machine} went back to version ${version}, which nobody asked for`)
    }
    if (one.kind !== 'remove') return
    const found = world
      .machine(machine)
      .host?.containers()
      .find(({ id }) => id === one.id)
    if (found?.state !== 'running' || found.owner.application !== applicationName) return
    counts.removals++
    const { version } = found.owner
    if (!progress.mayReplace(machine, version))
      touched.push(`${machine} removed version ${version}, which ran and was wanted`)
  }
  return [
    {
      observer: { act },
      row: () => ({
        invariant: 4,
        sentence: 'a healthy container that is still wanted is never stopped or restarted',
        judged: counts.removals + counts.starts,
        violations: touched,
      }),
    },
    {
      observer: {},
      row: () => ({
        invariant: 7,
        sentence: 'no site goes back to an older version unless somebody asks for it',
        judged: counts.starts,
        violations: back,
      }),
    },
  ]
}

/** Invariant 8: once all is as wanted, no engine is told to do anything any more. */
export const checkRest = (world: World): Check & { expectRest(): void } => {
  const restless: string[] = []
  let isResting = false
  let judged = 0
  return {
    expectRest: () => {
      isResting = true
      judged += world.machines.filter(({ place }) => place.role === 'edge').length
    },
    observer: {
      act: (machine, { kind }) => {
        if (isResting) restless.push(`${machine} still had its engine do something (${kind}) after all was as wanted`)
      },
      died: (machine) => {
        if (isResting) restless.push(`the node on ${machine} ended by itself`)
      },
    },
    row: () => ({
      invariant: 8,
      sentence: 'once all is as wanted, nothing is done any more',
      judged,
      violations: restless,
    }),
  }
}

import type { ContainerAct, World } from '../world/index.ts'
import type { Ledger } from './ledger.ts'
import { contentOf } from './specifications.ts'

type Start = Extract<ContainerAct, { kind: 'start' }>

/** How far each host has come at least in what was asked of its site, seen from what it starts. */
export interface SiteProgress {
  /** Takes note of a start. @returns what the container is; whether anything that was asked since asks for that */
  start(machine: string, act: Start): { readonly content: string; readonly isAsked: boolean }
  /** What was asked of the site from where the host has come to on, oldest first; '' asks for nothing. */
  askedSince(machine: string, application: string): readonly string[]
}

export const createSiteProgress = ({
  world,
  ledger,
}: {
  readonly world: World
  readonly ledger: Ledger
}): SiteProgress => {
  /** Per host and application the place in the ledger's history that it has reached at least. */
  const reached = new Map<string, number>()
  const historyOf = (machine: string, application: string) =>
    ledger.history(world.machine(machine).place.site ?? '', application)
  return {
    start: (machine, { container: { owner }, spec }) => {
      const content = contentOf(owner, spec.env.VERSION ?? '')
      const key = `${machine} ${owner.application}`
      const from = reached.get(key) ?? 0
      const at = historyOf(machine, owner.application).findIndex(
        (versions, index) =>
          index >= from && [...versions].some((version) => version !== '' && contentOf(owner, version) === content),
      )
      // A site that gets an application by a new label gets it as its zone knows it, which may be behind.
      const isNew = !reached.has(key)
      const isKnown = ledger
        .changes()
        .flatMap(({ wishes }) => wishes)
        .some(
          ({ application, version }) =>
            application === owner.application && version !== undefined && contentOf(owner, version) === content,
        )
      if (at >= 0) reached.set(key, Math.max(from, at))
      return { content, isAsked: at >= 0 || (isNew && isKnown) }
    },
    askedSince: (machine, application) =>
      historyOf(machine, application)
        .slice(reached.get(`${machine} ${application}`) ?? 0)
        .flatMap((versions) => [...versions]),
  }
}

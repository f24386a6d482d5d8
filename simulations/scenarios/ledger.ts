/** What a deployment asks for: a version at some sites, or nothing any more. */
export interface Wish {
  readonly application: string
  /** Undefined once the deployment is removed. */
  readonly version: string | undefined
  readonly sites: ReadonlySet<string>
}

/** One change an operator asked for, and what came of it. */
export interface AskedChange {
  readonly deployment: string
  /** Sites it can reach: those of the zone whose operator asked. Undefined at the tower, for all. */
  readonly within: ReadonlySet<string> | undefined
  /** What will hold if it is done. Several when that is the node's to say and it did not answer. */
  readonly wishes: readonly Wish[]
  readonly askedMs: number
  /** Of a zone's operators who could not know what others of it did meanwhile: equal for those of one such time. */
  readonly apart?: number | undefined
  /** `unknown` when no answer came: then it may be done or not. */
  readonly outcome: 'asked' | 'acknowledged' | 'refused' | 'unknown'
  readonly answeredMs: number
}

/** What operators asked for and what they were told: what a checker may hold the fleet to. */
export interface Ledger {
  ask(
    change: Pick<AskedChange, 'deployment' | 'wishes' | 'within'>,
    atMs: number,
  ): {
    /** @param came what it came to, where that is known; several where it may go on to others by itself */
    answer(outcome: AskedChange['outcome'], atMs: number, ...came: readonly Wish[]): void
  }
  changes(): readonly AskedChange[]
  /** Everything that may hold of a deployment now at the tower: the newest acknowledged change and what was asked after it. */
  candidates(deployment: string): readonly Wish[]
  /** Everything that may hold of it now at a site: also what operators of the zone around it asked for. */
  candidatesAt(deployment: string, site: string): readonly Wish[]
  /** Whether operators of a zone around the site ever changed the deployment. */
  isChangedAround(deployment: string, site: string): boolean
  /** What was asked of an application for this site, oldest first; each with every version it may have come to, '' for none. */
  history(site: string, application: string): readonly ReadonlySet<string>[]
  deployments(): readonly string[]
  /** From now on operators of a zone may not know of each other, until what it answers is called. */
  part(): () => void
  /** A backup of the tower from that time was put back: what was acknowledged since may be done or not. */
  forgetSince(atMs: number): void
}

const nothing: Wish = { application: '', version: undefined, sites: new Set() }

const versionAt = (wish: Wish, site: string): string => (wish.sites.has(site) ? (wish.version ?? '') : '')

/** Changes that may count now: the last acknowledged, and all after it. */
const lasting = (of: readonly AskedChange[]): readonly AskedChange[] => {
  const last = of.findLastIndex(({ outcome }) => outcome === 'acknowledged')
  // Nobody who did something while they were apart took the place of what another did then.
  const apart = of[last]?.apart
  const standing = apart === undefined ? last : of.findIndex((one) => one.apart === apart)
  return of.slice(Math.max(0, standing)).filter(({ outcome }) => outcome !== 'refused')
}

const wishesOf = (of: readonly AskedChange[]): readonly Wish[] => {
  const wishes = lasting(of).flatMap((one) => one.wishes)
  return of.some(({ outcome }) => outcome === 'acknowledged') ? wishes : [nothing, ...wishes]
}

export const createLedger = (): Ledger => {
  const changes: AskedChange[] = []
  let parts = 0
  let apart: number | undefined
  const about = (deployment: string) => changes.filter((one) => one.deployment === deployment)

  return {
    ask: ({ deployment, wishes, within }, atMs) => {
      const at =
        changes.push({
          deployment,
          wishes,
          within,
          askedMs: atMs,
          outcome: 'asked',
          answeredMs: Infinity,
          apart: within && apart,
        }) - 1
      return {
        answer: (outcome, answeredMs, ...came) => {
          const asked = changes[at]
          if (asked?.outcome === 'asked')
            changes[at] = { ...asked, outcome, answeredMs, ...(came.length > 0 && { wishes: came }) }
        },
      }
    },
    changes: () => changes,
    candidates: (deployment) => wishesOf(about(deployment).filter(({ within }) => within === undefined)),
    candidatesAt: (deployment, site) => {
      const own = about(deployment).filter(({ within }) => within?.has(site) ?? true)
      const here = own.filter(({ within }) => within !== undefined)
      if (here.length === 0) return wishesOf(own)
      // What a zone said last, unless those above said something after it.
      const standing = own.findLastIndex(({ outcome }) => outcome === 'acknowledged')
      if (own[standing]?.within !== undefined) return lasting(own).flatMap((one) => one.wishes)
      return [...wishesOf(here), ...wishesOf(own.filter(({ within }) => within === undefined))]
    },
    isChangedAround: (deployment, site) => about(deployment).some(({ within }) => within?.has(site)),
    history: (site, application) => {
      const own = changes.filter(
        ({ wishes, within }) => (within?.has(site) ?? true) && wishes.some((wish) => wish.application === application),
      )
      /** What was said apart stands beside what those above say later, until it is settled: it may come to count again. */
      const besides = (at: number) =>
        lasting(own.slice(0, at).filter(({ within }) => within !== undefined)).filter((one) => one.apart !== undefined)
      return own.map(({ outcome, wishes, within }, at) => {
        // What was refused came to nothing, and keeps its place.
        if (outcome === 'refused') return new Set<string>()
        const all = within === undefined ? [...wishes, ...besides(at).flatMap((one) => one.wishes)] : wishes
        return new Set(all.map((wish) => versionAt(wish, site)))
      })
    },
    deployments: () => [...new Set(changes.map(({ deployment }) => deployment))].toSorted(),
    part: () => {
      const own = ++parts
      apart = own
      return () => {
        if (apart === own) apart = undefined
      }
    },
    forgetSince: (atMs) => {
      for (const [at, change] of changes.entries())
        if (change.within === undefined && change.outcome === 'acknowledged' && change.answeredMs > atMs)
          changes[at] = { ...change, outcome: 'unknown' }
    },
  }
}

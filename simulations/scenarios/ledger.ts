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
  /** What will hold if it is done. Several when that is the node's to say and it did not answer. */
  readonly wishes: readonly Wish[]
  readonly askedMs: number
  /** `unknown` when no answer came: then it may be done or not. */
  readonly outcome: 'asked' | 'acknowledged' | 'refused' | 'unknown'
  readonly answeredMs: number
}

/** What operators asked for and what they were told: what a checker may hold the fleet to. */
export interface Ledger {
  ask(
    deployment: string,
    wishes: readonly Wish[],
    atMs: number,
  ): { answer(outcome: AskedChange['outcome'], atMs: number, wish?: Wish): void }
  changes(): readonly AskedChange[]
  /** Everything that may hold of a deployment now: the newest acknowledged change and what was asked after it. */
  candidates(deployment: string): readonly Wish[]
  /** Every version of the application this site may have been told between two moments; '' stands for none. */
  toldBetween(site: string, application: string, fromMs: number, toMs: number): ReadonlySet<string>
  deployments(): readonly string[]
}

const nothing: Wish = { application: '', version: undefined, sites: new Set() }

const versionAt = (wish: Wish, site: string): string => (wish.sites.has(site) ? (wish.version ?? '') : '')

export const createLedger = (): Ledger => {
  const changes: AskedChange[] = []

  /** Changes that may count from `fromMs` on: the last acknowledged by then, and all after it. */
  const lasting = (of: readonly AskedChange[], fromMs: number): readonly AskedChange[] => {
    const standing = of.findLastIndex(({ outcome, answeredMs }) => outcome === 'acknowledged' && answeredMs <= fromMs)
    return of.slice(Math.max(0, standing)).filter(({ outcome }) => outcome !== 'refused')
  }
  const hasStanding = (of: readonly AskedChange[], fromMs: number): boolean =>
    of.some(({ outcome, answeredMs }) => outcome === 'acknowledged' && answeredMs <= fromMs)

  return {
    ask: (deployment, wishes, atMs) => {
      const at = changes.push({ deployment, wishes, askedMs: atMs, outcome: 'asked', answeredMs: Infinity }) - 1
      return {
        answer: (outcome, answeredMs, wish) => {
          const asked = changes[at]
          if (asked?.outcome === 'asked')
            changes[at] = { ...asked, outcome, answeredMs, ...(wish && { wishes: [wish] }) }
        },
      }
    },
    changes: () => changes,
    candidates: (deployment) => {
      const own = changes.filter((one) => one.deployment === deployment)
      const wishes = lasting(own, Infinity).flatMap((one) => one.wishes)
      return own.some(({ outcome }) => outcome === 'acknowledged') ? wishes : [nothing, ...wishes]
    },
    toldBetween: (site, application, fromMs, toMs) => {
      const own = changes.filter(
        ({ askedMs, wishes }) => askedMs <= toMs && wishes.some((wish) => wish.application === application),
      )
      const told = new Set(hasStanding(own, fromMs) ? [] : [''])
      for (const { wishes } of lasting(own, fromMs)) for (const wish of wishes) told.add(versionAt(wish, site))
      return told
    },
    deployments: () => [...new Set(changes.map(({ deployment }) => deployment))].toSorted(),
  }
}

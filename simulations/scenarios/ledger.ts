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
  /** What was asked of an application for this site, oldest first; each with every version it may have come to, '' for none. */
  history(site: string, application: string): readonly ReadonlySet<string>[]
  deployments(): readonly string[]
}

const nothing: Wish = { application: '', version: undefined, sites: new Set() }

const versionAt = (wish: Wish, site: string): string => (wish.sites.has(site) ? (wish.version ?? '') : '')

export const createLedger = (): Ledger => {
  const changes: AskedChange[] = []

  /** Changes that may count now: the last acknowledged, and all after it. */
  const lasting = (of: readonly AskedChange[]): readonly AskedChange[] => {
    const standing = of.findLastIndex(({ outcome }) => outcome === 'acknowledged')
    return of.slice(Math.max(0, standing)).filter(({ outcome }) => outcome !== 'refused')
  }

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
      const wishes = lasting(own).flatMap((one) => one.wishes)
      return own.some(({ outcome }) => outcome === 'acknowledged') ? wishes : [nothing, ...wishes]
    },
    history: (site, application) =>
      changes
        .filter(({ wishes }) => wishes.some((wish) => wish.application === application))
        // What was refused came to nothing, and keeps its place.
        .map(
          ({ outcome, wishes }) => new Set(outcome === 'refused' ? [] : wishes.map((wish) => versionAt(wish, site))),
        ),
    deployments: () => [...new Set(changes.map(({ deployment }) => deployment))].toSorted(),
  }
}

import { nameHint, SkerryError } from '../../base/index.ts'
import type { ExplainView } from '../api/index.ts'
import type { Knowledge } from '../knowledge.ts'
import { explain, type Hash, reachedLinks } from '../services/deployments/index.ts'

/**
 * The one site an application concerns; every site here when it concerns none yet.
 * @throws {SkerryError} `not-found`, `ambiguous` naming the sites there are
 */
const onlySite = ({ applications, entries, places }: Knowledge, application: string): string => {
  const names = applications.map(({ name }) => name)
  const told = entries.filter((entry) => entry.application === application)
  if (!names.includes(application) && told.length === 0)
    throw new SkerryError('not-found', `there is no application ${application}; ${nameHint(application, names)}`)
  const running = told.filter(({ phase }) => phase === 'run')
  const concerned = [running, told, places].find((some) => some.length > 0) ?? []
  const [site, ...others] = concerned.map((one) => one.site).toSorted()
  if (site === undefined) throw new SkerryError('not-found', 'no site is known here yet')
  if (others.length === 0) return site
  const shown = [site, ...others.slice(0, 9)].join(', ')
  throw new SkerryError(
    'ambiguous',
    `${application} concerns ${others.length + 1} sites: name one of ${shown}${others.length > 9 ? ', …' : ''} with --site`,
  )
}

/** The way of an application to its containers at a site; without one, at the only site it concerns. */
export const explainView = (
  known: Knowledge,
  hash: Hash,
  application: string,
  asked: {
    readonly site?: string | undefined
    readonly note?: string | undefined
    /** Changes of it that are not in force, in words. */
    readonly late?: readonly string[]
    /** Zones that keep back what is in them. */
    readonly borders?: readonly string[]
  },
): ExplainView => {
  const site = asked.site ?? onlySite(known, application)
  const { borders = [], late = [] } = asked
  const told = explain({ ...known, application, site, intentOrder: known.intentOrder(site), hash, borders })
  const head = {
    application,
    site,
    ok: told.ok,
    links: reachedLinks(told).map(({ step, state, text, ageMs }) => ({
      step,
      state,
      text,
      ...(ageMs !== undefined && { 'age-ms': ageMs }),
    })),
    ...(asked.note !== undefined && { note: asked.note }),
    ...(late.length > 0 && { late }),
  }
  if (told.ok) return head
  const { sinceMs, lastKnown } = told.unknown ?? {}
  const unknown = {
    ...(sinceMs !== undefined && { 'since-ms': sinceMs }),
    ...(lastKnown !== undefined && { 'last-known': lastKnown }),
  }
  return {
    ...head,
    'stopped-at': told.stoppedAt,
    reason: told.reason,
    advice: told.advice,
    ...(told.unknown && { unknown }),
  }
}

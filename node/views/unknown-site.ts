import { nameHint, SkerryError } from '../../base/index.ts'
import { borderText } from './zone-views.ts'

const mostNames = 10

/**
 * What is said of a site that a node does not know. Where zones below keep their names back, a site behind their border and
 * one that is nowhere get the same answer: the name that was asked for is all that differs, and nothing is guessed from it.
 * @param known names of sites, sorted
 * @param borders zones below that keep their names back
 */
export const unknownSite = (
  site: string,
  node: string,
  known: readonly string[],
  borders: readonly string[],
): SkerryError => {
  if (borders.length === 0)
    return new SkerryError('not-found', `there is no site ${site} below ${node}; ${nameHint(site, known)}`)
  const shown = `${known.slice(0, mostNames).join(', ')}${known.length > mostNames ? ', …' : ''}`
  const there = known.length === 0 ? 'none is' : `these are: ${shown}`
  return new SkerryError(
    'not-found',
    `site ${site} is not known at ${node} (${there}); ${borders.map(borderText).join('; ')}`,
  )
}

import { errorText } from '../../../base/index.ts'
import {
  describeExpression,
  type LabelExpression,
  matchesLabels,
  parseLabelExpression,
} from '../../../topologies/index.ts'
import type { Refusal } from './field-checks.ts'

/** A site of the topology as far as placement goes. */
export interface SitePlace {
  readonly site: string
  /** Its path in the tree, like `/de/bavaria/munich-7`. */
  readonly scope: string
  /** Its labels, those under `system/` included. */
  readonly labels: Readonly<Record<string, string>>
  readonly hosts: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]
}

/** The placement of a deployment in its checked form: exactly one of the two is there. */
export interface Placement {
  readonly 'all-sites'?: true | undefined
  readonly 'match-site-labels'?: string | undefined
}

/** Order of names that does not depend on the machine's language. */
export const byName = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** What is wrong with the text of a label expression, or undefined. */
export const refuseExpression = (text: string): Refusal | undefined => {
  try {
    parseLabelExpression(text)
    return undefined
  } catch (error) {
    const [message = '', suggestion] = errorText(error).split('; ')
    return suggestion === undefined ? { message } : { message, suggestion }
  }
}

const isTop = (place: SitePlace) => place.labels['system/type'] === 'top'

/** True when the placement selects the site. `all-sites` means every site at the edge, not the towers' own. */
export const placementMatches = (placement: Placement, place: SitePlace): boolean => {
  const text = placement['match-site-labels']
  return text === undefined ? !isTop(place) : matchesLabels(parseLabelExpression(text), place.labels)
}

/** The terms of an expression that keep it from matching, each with what the labels say instead. */
const failingTerms = (expression: LabelExpression, labels: SitePlace['labels']): readonly string[] => {
  if (matchesLabels(expression, labels)) return []
  if (expression.kind === 'and') return expression.of.flatMap((part) => failingTerms(part, labels))
  const text = describeExpression(expression)
  if ('of' in expression) return [`(${text}) does not hold`]
  const found = Object.hasOwn(labels, expression.key) ? labels[expression.key] : undefined
  const here = found === undefined ? `there is no label ${expression.key}` : `there it is ${JSON.stringify(found)}`
  return [`${text} does not hold, ${here}`]
}

/** Why the placement does not select the site, down to the terms that fail; undefined when it does. */
export const placementMismatch = (placement: Placement, place: SitePlace): string | undefined => {
  if (placementMatches(placement, place)) return undefined
  const text = placement['match-site-labels']
  if (text === undefined) return 'all-sites means sites of type edge, and this is the own site of the towers'
  return failingTerms(parseLabelExpression(text), place.labels).join('; ')
}

export const placementText = (placement: Placement): string =>
  placement['match-site-labels'] === undefined ? 'all sites' : `sites with ${placement['match-site-labels']}`

import { errorText } from '../../../base/index.ts'
import {
  describeExpression,
  keysOfExpression,
  type LabelExpression,
  matchesLabels,
  parseLabelExpression,
  type SeenLabels,
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
const failingTerms = (
  expression: LabelExpression,
  labels: SitePlace['labels'],
  lacking: (key: string) => string,
): readonly string[] => {
  if (matchesLabels(expression, labels)) return []
  if (expression.kind === 'and') return expression.of.flatMap((part) => failingTerms(part, labels, lacking))
  const text = describeExpression(expression)
  const unseen = keysOfExpression(expression).filter((key) => !Object.hasOwn(labels, key))
  if ('of' in expression) return [[`(${text}) does not hold`, ...unseen.map(lacking)].join(', ')]
  const found = Object.hasOwn(labels, expression.key) ? labels[expression.key] : undefined
  return [
    `${text} does not hold, ${found === undefined ? lacking(expression.key) : `there it is ${JSON.stringify(found)}`}`,
  ]
}

/**
 * Why the placement does not select the site, down to the terms that fail; undefined when it does.
 * @param seen what the placement sees of the labels of the site. @default all of them
 */
export const placementMismatch = (
  placement: Placement,
  place: SitePlace,
  seen: SeenLabels = { labels: place.labels },
): string | undefined => {
  if (placementMatches(placement, { ...place, labels: seen.labels })) return undefined
  const text = placement['match-site-labels']
  if (text === undefined) return 'all-sites means sites of type edge, and this is the own site of the towers'
  const lacking = (key: string) =>
    seen.border !== undefined && Object.hasOwn(place.labels, key)
      ? `${seen.border} does not let the label ${key} out`
      : `there is no label ${key}`
  return failingTerms(parseLabelExpression(text), seen.labels, lacking).join('; ')
}

/** The keys a placement asks for that a border may hide: all but those the system gives every site. */
export const keysOfPlacement = (placement: Placement): readonly string[] => {
  const text = placement['match-site-labels']
  return text === undefined ? [] : keysOfExpression(parseLabelExpression(text)).filter((key) => key !== 'system/type')
}

export const placementText = (placement: Placement): string =>
  placement['match-site-labels'] === undefined ? 'all sites' : `sites with ${placement['match-site-labels']}`

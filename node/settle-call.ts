import { SkerryError } from '../base/index.ts'
import { type Candidate, type Conflict, defaultLanePolicy, type LanePolicy } from '../crdt/index.ts'

/** A request to settle on its way to the zone where the words meet. */
export interface SettleCall {
  /** Name or id of the application. */
  readonly application: string
  /** First digits of a decision, or `local` or `above`. */
  readonly take: string
}

/** So many digits of a decision are shown, and enough to name it. */
export const shownDigits = 12

/** The candidate that is meant. @throws {SkerryError} `not-found`, `ambiguous` */
export const pickCandidate = ({ candidates }: Conflict, { application, take }: SettleCall): Candidate => {
  const voice = take === 'local' ? 'local' : take === 'above' ? 'intent' : undefined
  const fitting = candidates.filter((one) =>
    voice === undefined ? one.entry.decision.startsWith(take) : one.voice === voice,
  )
  const [first] = fitting
  const ids = candidates.map(({ entry }) => entry.decision.slice(0, shownDigits)).join(', ')
  if (first === undefined || take === '')
    throw new SkerryError('not-found', `${application} has no candidate ${take || '(nothing)'}: take one of ${ids}`)
  if (fitting.length > 1)
    throw new SkerryError('ambiguous', `${fitting.length} candidates of ${application} fit ${take}: take one of ${ids}`)
  return first
}

/** What a zone says of whose word is final in it. */
export const lanePolicyOf = (settle: LanePolicy['settle'] | undefined): LanePolicy => ({
  ...defaultLanePolicy,
  settle: settle ?? defaultLanePolicy.settle,
})

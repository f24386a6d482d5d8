/** One of the words that do not agree. */
export interface ConflictCandidateView {
  /** The first 12 digits of the decision: what `settle` takes. */
  readonly id: string
  /** There where applications of one name meet: the id of this one. */
  readonly 'application-id'?: string
  /** `local` is the word of the zone's own operators, `intent` that of the scope above. */
  readonly voice: 'local' | 'intent'
  /** Whose word it is: a scope like `/north`. */
  readonly scope: string
  /** Name of the node whose key signed it; absent where it may not be known here. */
  readonly by?: string
  /** Of the application; absent where its specification is not known here, and where the word is to retire it. */
  readonly version?: string
  readonly revision?: string
  readonly deployment?: string
  /** There when the word is to stop the application. */
  readonly retired?: true
  /** Sites of the zone at which it runs now, as their hosts last said. */
  readonly sites: readonly string[]
  /** Whether this is what the zone's sites are told meanwhile. */
  readonly runs: boolean
}

/** An application about which the lanes of a zone do not agree. Until it is settled every site keeps what it has. */
export interface ConflictView {
  readonly application: string
  readonly 'application-id': string
  /** The zone in which the words meet. */
  readonly scope: string
  /** How long this node has known of it. */
  readonly 'since-ms': number
  readonly candidates: readonly ConflictCandidateView[]
  /** Words that a zone keeps to itself, like one candidate withheld by `/south`. */
  readonly withheld: readonly { readonly zone: string; readonly count: number }[]
  /** Whether this node can end it, by itself or by asking the zone. */
  readonly 'can-settle': boolean
  /** Who ends it, in words. */
  readonly note: string
}

/** What ended a conflict. */
export interface SettledView {
  readonly application: string
  readonly scope: string
  readonly taken: Pick<ConflictCandidateView, 'id' | 'voice' | 'scope' | 'version' | 'retired'>
}

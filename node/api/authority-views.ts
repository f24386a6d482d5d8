import type { Asked } from './services.ts'

/** A key that may sign for a zone. */
export interface AuthorityKeyView {
  /** The hash of the public key, 64 hexadecimal digits. */
  readonly fingerprint: string
  /** The host that has it; absent where that is not known here. */
  readonly host?: string
}

/** Who speaks for a zone, as the asked node believes it. */
export interface ZoneAuthorityView {
  readonly scope: string
  /** `own`: the zone renews its keys itself. `granted`: the zone above gives them. */
  readonly succession: 'own' | 'granted'
  readonly id: string
  readonly generation: number
  /** How many of the keys it takes to change the list. */
  readonly threshold: number
  /** Whether the zone above signed this generation too. */
  readonly countersigned: boolean
  readonly keys: readonly AuthorityKeyView[]
  /** Nodes of the zone whose keys are not on the list; known at its own nodes and right above alone. */
  readonly waiting: readonly AuthorityKeyView[]
  /** Another authority that an aggregator of the zone showed, and that waits for an operator right above. */
  readonly rival?: { readonly id: string; readonly keys: readonly AuthorityKeyView[] }
  /** What a person should know of it. */
  readonly notes: readonly string[]
}

/** What became of a change of the list. */
export interface RenewedView {
  readonly scope: string
  readonly outcome: 'made' | 'draft'
  readonly generation: number
  /** In hexadecimal, for another node of the zone to sign. */
  readonly draft?: string
  readonly signed?: number
  readonly needed?: number
}

export interface RetiredView {
  readonly scope: string
  readonly id: string
  /** What is lost with it, and what to do, line by line. */
  readonly lost: readonly string[]
}

export interface NarrowedView {
  readonly scope: string
  /** All that is said of the zone from above now, by kind. */
  readonly narrowing: Readonly<Record<string, string>>
}

export interface AskedRenewal extends Asked {
  /** Fingerprints, or at least 16 digits of each. */
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly threshold?: number
}

/**
 * Who speaks for zones. Changes throw `beyond-border` at a node that is not of the zone, `conflict` where they cannot be
 * made.
 */
export interface AuthorityServices {
  /** @param zone @default the zone of the asked node @throws {SkerryError} `not-found`, `not-ready`, `beyond-border` */
  show(zone: string | undefined, asked: Asked): Promise<ZoneAuthorityView>
  renew(zone: string, asked: AskedRenewal): Promise<RenewedView>
  sign(zone: string, draft: string, asked: Asked): Promise<RenewedView>
  /**
   * Right above a zone: says how much may leave it at most.
   * @param levels a level by kind; `own` takes back what was said of a kind
   */
  narrow(zone: string, levels: Readonly<Record<string, string>>, asked: Asked): Promise<NarrowedView>
  /** Closes the id of a zone right below for ever. @param id at least the first 16 digits */
  retire(zone: string, id: string, asked: Asked): Promise<RetiredView>
}

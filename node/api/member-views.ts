/** What the API says of who belongs to a node's scope and who asks to. */

/**
 * `expected`: named in the topology, and nobody has taken the name yet. `waiting`: a key that nobody expects calls, and
 * an operator may claim it. `duplicate`: another key calls under a host-id that is taken. `blocked`: refused until it is
 * allowed again, whatever it shows.
 */
export type MemberStatus = 'enrolled' | 'expected' | 'waiting' | 'duplicate' | 'blocked'

/** A host that belongs to the asked node's scope as a direct child, or a key that calls there. */
export interface MemberView {
  /** Absent for a key that has no name yet. */
  readonly name?: string
  /** The site of an edge, the zone of an aggregator or tower; for a key without a name the scope it called for. */
  readonly scope: string
  /** Of an edge. */
  readonly site?: string
  readonly role: 'tower' | 'aggregator' | 'edge'
  readonly 'oper-status': MemberStatus
  /** The hash of the node's public key, 64 hexadecimal digits; absent while nobody has the name. */
  readonly fingerprint?: string
  readonly 'host-id'?: string
  /** How long ago it last called; absent when it never did since this node started. */
  readonly 'last-call-ms'?: number
  /** Where it calls from. */
  readonly address?: string
  /** One short remark, like `beyond here /south answers` at the aggregator of a zone that is not operated from here. */
  readonly note?: string
}

/** A one-time token. It is shown once and kept nowhere but as its hash. */
export interface TokenView {
  readonly name: string
  readonly token: string
}

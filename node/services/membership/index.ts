/**
 * Membership: how a network is founded, how nodes become members and stay it, who is blocked, and what the member lanes of
 * children say.
 * Must not open links, read a clock to judge anything, or decide what runs where.
 * Read first: membership.ts, judge-join.ts.
 */
export type { SiblingPeer } from './choose-siblings.ts'
export { createMembership } from './create-membership.ts'
export { type ExpectedHost, type ExpectedScope, expectedBelow } from './expected.ts'
export { type Founded, type FoundingOptions, foundNetwork } from './found-network.ts'
export type {
  JoinAdmitted,
  JoinAnswer,
  JoinHello,
} from './join-messages.ts'
export { type HelloGuard, helloGuards } from './join-token.ts'
export { fellowFormat, fellowLimits, judgeFellow, readFellowAnswer, readFellowHello } from './judge-fellow.ts'
export { type JoinGuard, joinGuards } from './judge-join.ts'
export { type ListedHost, type ListedScope, readListedScope } from './member-lanes.ts'
export type {
  Accepted,
  BlockTarget,
  HeldTenant,
  MemberPlace,
  MemberRole,
  Membership,
  MembershipEvent,
  MembershipOptions,
  MemberView,
  Self,
  SiteDeposits,
  ZoneAuthority,
} from './membership.ts'
export { ownLaneOf, readNarrowings, readOwnLane, type WrittenLevels } from './own-lane.ts'
export { makeFirstList } from './own-zone.ts'
export type { Renewed } from './renew-own-zone.ts'
export { type SigningDelegation, signingDelegation } from './signing-delegation.ts'

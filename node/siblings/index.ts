/**
 * Siblings at work: a zone leaves what its sites may need with hosts of other sites, those hosts keep and hand it out, and an
 * edge whose parent is away fetches it.
 * Must not judge lanes or records: what comes from a sibling is taken like anything else.
 * Read first: leave-deposits.ts, sibling-desk.ts.
 */
export { createDepositLeaver, type DepositLeaver } from './leave-deposits.ts'
export { createSiblingDesk, type SiblingDesk } from './sibling-desk.ts'
export { createSiblingKeeper, type KeeperOptions, type SiblingKeeper } from './sibling-keeper.ts'

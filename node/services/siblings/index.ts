/**
 * Siblings: what a parent leaves of a site's lanes with hosts of other sites of its zone, sealed to that site, and what hosts
 * of two sites say to each other while their parent is away.
 * Must not open links, seal or open bytes, or decide what runs where.
 * Read first: deposit-content.ts, judge-deposit.ts.
 */
export { blobTag } from './blob-tag.ts'
export { packDeposit, readDeposit, writeDeposit } from './deposit-content.ts'
export { createDepositShelf, type DepositShelf } from './deposit-shelf.ts'
export { type DepositDesk, judgeDeposit, sealedBytes } from './judge-deposit.ts'
export { judgeSibling } from './judge-sibling.ts'
export {
  readBlobQuestion,
  readDepositHead,
  readLeave,
  readLeaveAnswer,
  readSiblingAnswer,
  readSiblingHello,
  siblingFormat,
  siblingLimits,
} from './sibling-messages.ts'

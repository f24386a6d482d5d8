import { compareDigest, type Digest, encodeDigestMessage } from '../digest/index.ts'
import { inBatches, withLast } from './batches.ts'
import type { Message } from './message.ts'
import { ReplicationError } from './replication-error.ts'
import type { ReplicationLimits } from './replication-limits.ts'

type Meet = Extract<Message, { kind: 'meet' }>

export interface MeetingOptions {
  readonly limits: ReplicationLimits
  /** Whether this end hands out records. */
  readonly gives: boolean
  /** Of the documents both may hold, as they are now. */
  readonly digestNow: () => Digest
  readonly recordsHash: () => string
  readonly send: (message: Message) => void
  /** Asks for the records that are lacking here. */
  readonly askForRecords: () => void
  /** Tells what is held of documents that differ. */
  readonly tellHoldings: (ids: readonly string[], isLast: boolean) => void
  readonly refuse: (code: string, message: string) => void
  /** Whether the peer may make this end work; when not, it sees to it that the two meet later. */
  readonly mayAsk: () => boolean
  readonly onInSync: () => void
}

/**
 * How two ends find what differs. Both say `meet` under one number; where the roots differ, the end with the lower one
 * begins with its ranges, so that every step is taken once. What was compared in vain is compared again only when an end
 * says so, or something changed.
 */
export interface Meeting {
  /** @param again compares also what was compared in vain */
  begin(again: boolean): void
  /** @throws {ReplicationError} `bad-message` when the numbers run away */
  onMeet(theirs: Meet): void
  onDigest(message: Extract<Message, { kind: 'digest' }>): void
  /** Whether nothing is being compared. */
  isSettled(): boolean
}

/** No honest peer loses as many meetings as this on its way out. */
const mostLost = 1_000

const pairOf = (a: string, b: string): string => (a < b ? a + b : b + a)

export const createMeeting = (options: MeetingOptions): Meeting => {
  const { limits, gives, digestNow, recordsHash, send, refuse, mayAsk } = options
  let mine: Meet | undefined
  let digest: Digest | undefined
  let seenRound = 0
  let settled = false
  /** What was compared in vain is to be compared: until that is done, a meeting that would not do it does it too. */
  let isForced = false
  /** Pairs of hashes that were compared last, and what came of it changed nothing. */
  const tried = { records: '', roots: '' }

  /** Comparisons that this end sent: so many answers may come once a later meeting has overtaken them. */
  let answersDue = 0
  const sentRound = () => mine?.round ?? 0

  const say = (round: number, again: boolean): Meet => {
    settled = false
    isForced ||= again
    digest = digestNow()
    mine = { kind: 'meet', round, root: digest.root(), records: recordsHash(), gives, again: isForced }
    send(mine)
    return mine
  }

  const settle = () => {
    settled = true
    digest = undefined
  }

  /** Both ends come to the same here, and one of them goes on. */
  const compare = (own: Meet, theirs: Meet) => {
    const isWhole = own.again || theirs.again
    isForced = false
    const records = pairOf(own.records, theirs.records)
    const roots = pairOf(own.root, theirs.root)
    if (isWhole) tried.roots = ''
    if (own.gives !== theirs.gives && own.records !== theirs.records && (isWhole || tried.records !== records)) {
      tried.records = records
      // Records go before documents that need them; whoever asked for them meets anew when they are there.
      if (!own.gives) options.askForRecords()
      return
    }
    if (own.root === theirs.root) {
      settle()
      return options.onInSync()
    }
    if (tried.roots === roots) {
      // The digest stays: the other end may not have compared these two, and go on.
      settled = true
      return refuse('unsettled', 'the two ends hold different documents, and neither takes what the other brings')
    }
    tried.roots = roots
    if (own.root < theirs.root && digest !== undefined) {
      answersDue += 1
      send({ kind: 'digest', isLast: true, messages: [{ kind: 'ranges', ranges: digest.ranges() }] })
    }
  }

  return {
    begin: (again) => {
      say(Math.max(sentRound(), seenRound) + 1, again)
    },
    onMeet: (theirs) => {
      if (theirs.round > Math.max(sentRound(), seenRound) + mostLost)
        throw new ReplicationError('bad-message', 'the numbers of the meetings run away')
      if (theirs.round <= seenRound) return
      seenRound = theirs.round
      // One of ours with a higher number is on its way: the peer answers that.
      if (theirs.round < sentRound()) return
      if (theirs.round === sentRound() && mine !== undefined) return compare(mine, theirs)
      if (mayAsk()) compare(say(theirs.round, false), theirs)
    },
    onDigest: ({ messages, isLast }) => {
      const own = digest
      if (own === undefined) {
        if (answersDue === 0) return refuse('unasked', 'the peer compares documents outside of a meeting')
        answersDue -= 1
        return
      }
      if (!mayAsk()) return
      const found = messages.map((message) => compareDigest(own, message))
      if (messages[0]?.kind !== 'ranges')
        return options.tellHoldings(found.flatMap(({ differing }) => differing).toSorted(), isLast)
      const replies = found.flatMap((comparison) => comparison.replies)
      if (replies.length === 0) return
      const sizeOf = (reply: (typeof replies)[number]) => 4 + encodeDigestMessage(reply).length
      answersDue += 1
      for (const [batch, isEnd] of withLast(inBatches(replies, sizeOf, limits.messageBytes - 64)))
        send({ kind: 'digest', isLast: isEnd, messages: batch })
    },
    isSettled: () => settled,
  }
}

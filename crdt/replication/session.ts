import { type Clock, errorText, type Log, type Timer } from '../../base/index.ts'
import { type AuthorityPowers, fromHex, laneOwner, signedMessage, toHex } from '../authority/index.ts'
import type { Book, BookRecord } from '../book/index.ts'
import { createDigest, type Digest } from '../digest/index.ts'
import type { DocumentChange, Documents } from '../documents/index.ts'
import { epochLimits, type LaneName } from '../lane/index.ts'
import {
  answerHoldings,
  answerLate,
  lateChangeMessages,
  lateNameMessages,
  recordMessages,
  type Shelf,
  tellHoldings,
  tellWhole,
  uncountedNames,
} from './answers.ts'
import { concerns, type LaneIndex } from './lane-index.ts'
import { createMeeting } from './meeting.ts'
import { decodeMessage, encodeMessage, type LateName, type Message } from './message.ts'
import { createOutbox, type OutboxTask } from './outbox.ts'
import { createPendingBases } from './pending-bases.ts'
import type { Link, ReplicationPeer, ReplicationSession } from './replication.ts'
import { ReplicationError } from './replication-error.ts'
import type { ReplicationGuards } from './replication-guards.ts'
import type { ReplicationLimits } from './replication-limits.ts'
import { type Intake, takeEnvelopes, takeGenesis, takeLate, takeRecords } from './take-from-peer.ts'
import { createTokenBucket } from './token-bucket.ts'

export interface SessionOptions {
  readonly link: Link
  readonly peer: ReplicationPeer
  readonly documents: Documents
  readonly book: Book
  readonly powers: AuthorityPowers
  readonly clock: Clock
  readonly log: Log
  readonly lanes: LaneIndex
  readonly limits: ReplicationLimits
  readonly guards: ReplicationGuards
  /** Logs a refusal, the first time of its peer and code. */
  readonly note: (code: string, message: string) => void
  readonly onMissingOwner: ((owner: string) => void) | undefined
  readonly onEnded: () => void
}

/** A session as the replicator drives it. */
export interface LiveSession extends ReplicationSession {
  /** @param messages of the change, encoded once for all sessions */
  changed(change: DocumentChange, messages: () => readonly Uint8Array[]): void
  recordsChanged(records: readonly BookRecord[]): void
  /** Meets anew, also where nothing seems to have changed. */
  meetAgain(): void
}

const noNetwork = '0'.repeat(64)

export const createSession = (options: SessionOptions): LiveSession => {
  const { link, peer, documents, book, powers, clock, log, lanes, limits, guards, note } = options
  const gives = peer.recordsFor !== undefined
  const answers = createTokenBucket(clock, limits.answers, limits.answerEveryMs)
  const refusals = createTokenBucket(clock, limits.refusals, limits.refusalEveryMs)
  const counted = { sentBytes: 0, receivedBytes: 0, sentMessages: 0, receivedMessages: 0 }
  const refused = new Map<string, number>()
  const done = Promise.withResolvers<void>()
  const inSync = Promise.withResolvers<void>()
  // Whoever does not wait for the end must not be brought down by it.
  done.promise.catch(() => {})
  let isEnded = false
  /** A meeting is to begin once there is room, or once the peer may ask again. */
  let owes = false
  let timer: Timer | undefined
  let nextMeeting: Timer | undefined
  let told: readonly BookRecord[] = []

  const end = (error?: unknown) => {
    if (isEnded) return
    isEnded = true
    timer?.cancel()
    nextMeeting?.cancel()
    outbox.stop()
    options.onEnded()
    if (error === undefined) done.resolve()
    else done.reject(error)
  }

  const refuse = (code: string, message: string) => {
    refused.set(code, (refused.get(code) ?? 0) + 1)
    note(code, message)
    if (!guards.mayErr(refusals))
      end(new ReplicationError('too-many-refused', 'so much of the peer was refused that the link is of no use'))
  }

  const outbox = createOutbox({
    limits,
    fits: guards.fits,
    send: async (bytes) => {
      await link.send(bytes)
      counted.sentBytes += bytes.length
      counted.sentMessages += 1
    },
    onDrained: () => {
      if (owes && timer === undefined) begin(true)
    },
    onFailed: (error) => {
      log.debug('a link ended while something was sent', { peer: peer.key, why: errorText(error) })
      end()
    },
  })

  const push = (sizeBytes: number, messages: OutboxTask['messages']) => {
    if (outbox.push({ sizeBytes, messages })) return
    owes = true
    refuse('slow', 'the peer takes less than there is to tell: the two meet again when it has room')
  }
  const send = (message: Message) => {
    const bytes = encodeMessage(message)
    push(bytes.length, () => [bytes])
  }

  const begin = (again: boolean) => {
    if (isEnded) return
    // What is owed compares also what was compared in vain; a meeting that does not leaves it owed.
    if (again) owes = false
    meeting.begin(again)
  }
  /** Begins a meeting when half of what the peer may ask is there again. */
  const beginLater = () => {
    if (isEnded) return
    owes = true
    timer ??= clock.setTimer(answers.untilHalfMs(), () => {
      timer = undefined
      if (owes) begin(true)
    })
  }
  const beginSoon = () => {
    if (guards.mayAsk(answers)) begin(false)
    else beginLater()
  }
  const mayAsk = (): boolean => {
    if (guards.mayAsk(answers)) return true
    refuse('too-often', 'the peer asks more often than it is answered')
    beginLater()
    return false
  }

  const mayShow = (documentId: string): boolean => {
    const lane = documents.epochOf(documentId)?.lane
    return lane !== undefined && concerns(lane, peer.scope) && guards.mayRead(peer, lane)
  }
  const isBegunTwice = (lane: LaneName): boolean => {
    const by = laneOwner(lane)
    if (by === undefined) return false
    const owners = 'tenant' in by ? [book.owner(by.tenant)] : by.roles.map((role) => book.ownerAt(by.scope, role))
    return owners.some((owner) => owner !== undefined && owner.generation > 1)
  }
  const shelf: Shelf = { documents, mayShow, isBegunTwice, limits }
  const { onMissingOwner } = options
  const intake: Intake = { documents, book, hash: powers.hash, peer, guards, refuse, onMissingOwner }
  const bases = createPendingBases(epochLimits.stateBytes)
  let toldLate = ''
  /** What does not count is no part of what two ends compare: each end names its own, whenever it is other than it named. */
  const tellLate = () =>
    push(64, async function* () {
      const names = await uncountedNames(shelf, lanes.about(peer.scope))
      const text = names.map(({ documentId, hash }) => documentId + hash).join()
      if (text === toldLate) return
      toldLate = text
      yield* lateNameMessages(names, false, limits)
    })
  const onLateNames = (names: readonly LateName[], isWanted: boolean, sizeBytes: number) => {
    if (!mayAsk()) return
    if (isWanted) return push(sizeBytes, () => answerLate(shelf, names))
    const lacking = names.filter(({ documentId, hash }) => {
      const held = mayShow(documentId) ? documents.lateNames(documentId) : undefined
      return held?.every((one) => one.hash !== hash)
    })
    for (const bytes of lateNameMessages(lacking, true, limits)) push(bytes.length, () => [bytes])
  }
  /** Lanes whose epoch could not be begun with what came: they are asked for whole, as if they were not here. */
  const askForBases = () => {
    const ids = bases.toAsk(({ documentId, genesis }) => documents.epochOf(documentId)?.id === genesis)
    if (ids.length === 0) return
    const holdings = ids.map((documentId) => ({ documentId, state: 'absent' as const }))
    send({ kind: 'want', isLast: true, holdings })
  }
  const takeBegun = async (bytes: Uint8Array, base?: Uint8Array) => {
    const outcome = await takeGenesis(intake, bytes, base)
    // A lane that was begun, or sealed, twice: neither end can tell from numbers alone whose goes before.
    if (outcome.kind === 'behind' && mayShow(outcome.documentId) && guards.mayAsk(answers))
      push(bytes.length, () => tellWhole(shelf, outcome.documentId))
    if (outcome.kind !== 'lacking') return
    bases.put({ ...outcome, bytes: bytes.slice() })
    // In a meeting what is lacking is on its way, or is asked for when the two meet again.
    if (meeting.isSettled()) beginSoon()
  }
  const recordsOfLink = () => book.recordsFor(peer.recordsFor ?? peer.scope)

  const digestNow = (): Digest => {
    const context = { networkId: book.networkId() ?? noNetwork, scope: peer.scope, audience: 'link' }
    const digest = createDigest(context, powers.hash)
    for (const documentId of lanes.about(peer.scope)) {
      const summary = mayShow(documentId) ? documents.summaryOf(documentId) : undefined
      if (summary !== undefined) digest.put(summary)
    }
    return digest
  }

  const meeting = createMeeting({
    limits,
    gives,
    digestNow,
    recordsHash: () => {
      told = recordsOfLink()
      const ids = told.map(({ id }) => id).toSorted()
      return toHex(powers.hash.sha256(signedMessage('replication-records', Buffer.concat(ids.map(fromHex)))))
    },
    send,
    askForRecords: () => {
      const ids = recordsOfLink().map(({ id }) => id)
      // A book of more than fit is sent all of it again: rare, and bounded.
      send({ kind: 'record-ids', ids: ids.length > limits.recordIds ? [] : ids.toSorted() })
    },
    tellHoldings: (ids, isLast) => {
      const asked = ids.map((documentId) => ({ documentId }))
      push(64 * (ids.length + 1), () => tellHoldings(shelf, 'have', asked, isLast))
    },
    refuse,
    mayAsk,
    onInSync: () => {
      tellLate()
      inSync.resolve()
    },
  })

  const handle = async (message: Message, sizeBytes: number): Promise<void> => {
    switch (message.kind) {
      case 'meet':
        askForBases()
        return meeting.onMeet(message)
      case 'digest':
        return meeting.onDigest(message)
      case 'have':
      case 'want':
        if (!mayAsk()) return
        push(sizeBytes, () => answerHoldings(shelf, message))
        if (message.kind === 'want' && message.isLast) beginSoon()
        return
      case 'genesis':
        return takeBegun(message.bytes)
      case 'base': {
        const whole = bases.add(message)
        if (whole === 'unasked') return
        return whole && takeBegun(whole.bytes, whole.base)
      }
      case 'late-names':
        return onLateNames(message.names, message.isWanted, sizeBytes)
      case 'late-changes':
        return takeLate(intake, message.documentId, message.envelopes)
      case 'envelopes': {
        const lacks = await takeEnvelopes(intake, message.documentId, message.envelopes)
        // A gap in what came as it changed; in a meeting the rest is on its way.
        if (lacks && meeting.isSettled()) beginSoon()
        return
      }
      case 'record-ids': {
        if (!gives) return refuse('unasked', 'the peer asks for records that come from above')
        if (!mayAsk()) return
        const held = new Set(message.ids)
        const lacking = recordsOfLink().flatMap(({ id, bytes }) => (held.has(id) ? [] : [bytes]))
        push(sizeBytes, () => recordMessages(lacking, true, limits))
        return
      }
      case 'records':
        await takeRecords(intake, message.records)
        if (message.isLast && !gives) beginSoon()
    }
  }

  const receiveOne = async (bytes: Uint8Array): Promise<void> => {
    counted.receivedBytes += bytes.length
    counted.receivedMessages += 1
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) {
      const { code, message } = decoded.refusal
      refuse(code, message)
      throw new ReplicationError(code, message)
    }
    try {
      await handle(decoded.message, bytes.length)
    } catch (error) {
      if (error instanceof ReplicationError) throw error
      // The disk: what came is asked for again later.
      log.warn('what a peer brought could not be kept', { peer: peer.key, why: errorText(error) })
      refuse('not-kept', errorText(error))
      if (guards.asksAgain()) beginLater()
    }
  }

  const receive = async (): Promise<void> => {
    try {
      for await (const bytes of link.messages) {
        if (isEnded) return
        await receiveOne(bytes)
      }
      end()
    } catch (error) {
      end(error instanceof ReplicationError ? error : undefined)
    }
  }

  const meetEvery = () => {
    nextMeeting = clock.setTimer(limits.meetEveryMs, () => {
      begin(true)
      meetEvery()
    })
  }
  if (guards.meets()) {
    begin(false)
    // One end is enough: the other answers.
    if (gives) meetEvery()
  }
  void receive()

  return {
    done: done.promise,
    inSync: inSync.promise,
    counts: () => ({ ...counted, refused: new Map(refused) }),
    stop: () => end(),
    changed: ({ documentId, isNew, genesis: begun, envelopes, late, from }, messages) => {
      if (isEnded || !mayShow(documentId)) return
      // Who brought a seal does not know what became late by it.
      const lateBytes = late.map(({ bytes }) => bytes)
      for (const bytes of lateChangeMessages(documentId, lateBytes, limits)) push(bytes.length, () => [bytes])
      if (from === peer.key) return
      if (envelopes.length > 0) for (const bytes of messages()) push(bytes.length, () => [bytes])
      if (!isNew) return
      push(64, async function* () {
        const genesis = begun ?? (await documents.genesisOf(documentId))
        if (genesis !== undefined) yield encodeMessage({ kind: 'genesis', bytes: genesis })
      })
    },
    recordsChanged: (records) => {
      if (isEnded || !gives) return
      const now = recordsOfLink()
      if (now === told) return
      told = now
      const ids = new Set(now.map(({ id }) => id))
      const fresh = records.flatMap(({ id, bytes }) => (ids.has(id) ? [bytes] : []))
      if (fresh.length === 0) return
      for (const bytes of recordMessages(fresh, false, limits)) push(bytes.length, () => [bytes])
    },
    meetAgain: () => begin(true),
  }
}

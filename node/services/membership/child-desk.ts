import { blockedAt, fromHex, keyIdOf, ownerOf, readRecord, rootKind, toHex } from '../../../crdt/index.ts'
import { anchorsToPin, ruledBefore } from './anchors-to-pin.ts'
import { type JoinAdmitted, type JoinHello, joinFormat, joinLimits, readAnswer } from './join-messages.ts'
import { issuerOf, parseToken } from './join-token.ts'
import { judgeParent, peerKeyOf } from './judge-parent.ts'
import type { MemberRegister } from './member-register.ts'
import type { Accepted, MembershipOptions } from './membership.ts'

/** A node as the child of whoever admits it. */
export interface ChildDesk {
  hello(parentKey: string): JoinHello
  accept(answer: unknown, parentKey: string): Promise<Accepted>
  renewDue(nowMs: number): boolean
  /** Whether this node was admitted, and the certificate it was given did not count until now. */
  lacksCertificate(): boolean
  /** The parent that was accepted last, once it is known to be blocked. */
  blockedParent(): string | undefined
}

/** A child asks after this part of its certificate's time: twice before its parent renews it, and twice after. */
const askAfter = 1 / 3

const fail = (code: string, message: string, retry: 'later' | 'slow' = 'slow'): Accepted => ({
  ok: false,
  code,
  message,
  retry,
})

/** Refusals by a parent that does not take this key for the host's. */
const isUnknown = (code: string): boolean => code === 'duplicate' || code === 'wrong-place'

export const createChildDesk = (options: MembershipOptions, register: MemberRegister): ChildDesk => {
  const { self, book, powers, clock, firstList, tokens = () => [] } = options
  const ownKey = peerKeyOf(self.signer)
  let accepted: { readonly parentKey: string; readonly atMs: number; readonly validForMs: number } | undefined
  const networkId = () => book.networkId() ?? options.networkId
  const keyId = (key: string) => keyIdOf(fromHex(key), powers.hash)

  /** A parent that did not know it by its key: then it shows its token again. */
  let isTurnedAway = false
  const showsToken = (): boolean =>
    isTurnedAway ||
    book.certificateOf(self.signer.keyId) === undefined ||
    options.helloGuards?.has('token-once') === false
  const tokenFor = (parentKey: string): string | undefined => {
    const theirs = issuerOf(keyId(parentKey))
    return tokens()
      .find((text) => parseToken(text)?.issuer === theirs)
      ?.trim()
  }
  /** A member shows no token, which is a secret; one that is not known as such any more may have a new one. */
  const turnAway = (parentKey: string): 'later' | undefined => {
    if (showsToken() || tokenFor(parentKey) === undefined) return undefined
    isTurnedAway = true
    return 'later'
  }

  /** The first list this node made, while no other authority of its zone holds. */
  const shownList = () =>
    firstList !== undefined && (book.anchors().get(self.scope) ?? ownerOf(firstList)) === ownerOf(firstList)
      ? firstList
      : undefined

  /** The root has to be of this node's network before anything is believed that hangs on it. */
  const bringsRoot = (network: string, records: readonly Uint8Array[]): boolean =>
    book.trust() !== undefined ||
    records.some((bytes) => {
      const read = readRecord(rootKind, bytes, powers)
      return read.ok && read.record.id === network
    })

  const takeIn = async (answer: JoinAdmitted, parentKey: string): Promise<Accepted> => {
    const { name } = answer.parent
    const network = networkId()
    if (network === undefined)
      return fail('no-network', 'this node was not told which network to join: set the id that skerry hosts shows')
    const records = answer.records.map(fromHex)
    if (answer.network !== network || !bringsRoot(network, records))
      return fail('wrong-network', `${name} belongs to another network than this node`)
    const ruled = ruledBefore(book, self.scope)
    await book.take(records)
    await book.anchor(anchorsToPin(book, self.scope, ruled))
    const first = shownList()
    if (first !== undefined && book.anchors().has(self.scope)) await book.take([first.bytes])
    const trust = book.trust()
    if (trust?.root.networkId !== network)
      return fail('wrong-network', `${name} brought no root document of this node's network`)
    const highestNumber = book.certificateOf(keyId(parentKey))?.body.number ?? 0
    const judged = judgeParent(
      { answer, parentKey, self: { key: ownKey, scope: self.scope, role: self.role }, trust, highestNumber },
      powers,
    )
    if (!judged.ok) return fail(judged.code, judged.message)
    const held = register.self()
    if (answer.session <= (held?.session ?? 0))
      return fail('stale-session', `${name} gave session ${answer.session} after ${held?.session ?? 0}`, 'later')
    // An older certificate than the one held is not kept: the next hello shows the newer, and the parent counts on from it.
    await book.take([judged.parent.bytes, judged.own.bytes])
    await register.save({
      self: {
        name: answer.self.name,
        session: answer.session,
        site: answer.self.site,
        parent: answer.parent,
      },
    })
    isTurnedAway = false
    const { fromMs, untilMs } = judged.own.body
    accepted = { parentKey, atMs: clock.monotonicMs(), validForMs: untilMs - fromMs }
    const { name: ownName, scope, site } = answer.self
    return { ok: true, session: answer.session, parent: answer.parent, self: { name: ownName, scope, site } }
  }

  return {
    hello: (parentKey) => {
      const certificate = book.certificateOf(self.signer.keyId)
      return {
        v: joinFormat,
        network: networkId() ?? '0'.repeat(64),
        name: self.name,
        hostId: self.hostId,
        role: self.role,
        scope: self.scope,
        token: (showsToken() ? tokenFor(parentKey) : undefined) ?? null,
        certificate: certificate === undefined ? null : toHex(certificate.bytes),
        session: Math.min(register.self()?.session ?? 0, joinLimits.session),
        ...(self.sealing !== undefined && { sealing: self.sealing }),
        ...(shownList() && { authority: toHex(shownList()?.bytes ?? new Uint8Array()) }),
      }
    },
    accept: async (said, parentKey) => {
      const read = readAnswer(said)
      if (!read.ok) return fail(read.code, read.text)
      const answer = read.message
      switch (answer.kind) {
        case 'refused':
          return fail(
            answer.code,
            answer.message,
            answer.code === 'not-ready' ? 'later' : (isUnknown(answer.code) && turnAway(parentKey)) || 'slow',
          )
        case 'waiting':
          turnAway(parentKey)
          return fail('waiting', `${answer.message}; the fingerprint of this host is ${self.signer.keyId}`, 'later')
        case 'admitted':
          return takeIn(answer, parentKey)
      }
    },
    lacksCertificate: () =>
      accepted !== undefined &&
      book.certificateOf(self.signer.keyId) === undefined &&
      book.ownerAt(self.scope, 'zone')?.keys.has(self.signer.keyId) === true,
    renewDue: (nowMs) => accepted !== undefined && nowMs - accepted.atMs > accepted.validForMs * askAfter,
    blockedParent: () => {
      const trust = book.trust()
      if (trust === undefined || accepted === undefined) return undefined
      return blockedAt(trust, self.scope).keys.has(keyId(accepted.parentKey)) ? accepted.parentKey : undefined
    },
  }
}

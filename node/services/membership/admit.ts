import {
  type Certificate,
  certificateKind,
  fromHex,
  judgeCertificate,
  mayDo,
  readRecord,
  type SignedRecord,
  toHex,
} from '../../../crdt/index.ts'
import { type Enrolled, enrol } from './enrol.ts'
import { type JoinAnswer, type JoinHello, joinFormat, joinLimits, readHello } from './join-messages.ts'
import { issuerOf, parseToken, tokenHash } from './join-token.ts'
import { type JoinCall, type JoinDecision, type JoinDesk, judgeJoin } from './judge-join.ts'
import type { Unclaimed } from './unclaimed.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

const refused = (code: string, message: string): JoinAnswer => ({
  v: joinFormat,
  kind: 'refused',
  code,
  message: message.slice(0, joinLimits.messageCharacters),
})

/** A certificate a caller shows, where the owner of this zone signed it for just this key. */
const shownBy = (
  { certificate }: JoinHello,
  key: string,
  { trust, owner }: Authority,
  { options: { powers } }: ZoneDesk,
): SignedRecord<Certificate> | undefined => {
  const read = certificate === null ? undefined : readRecord(certificateKind, fromHex(certificate), powers)
  if (read?.ok !== true || read.record.body.key !== key || read.record.body.issuer !== owner.id) return undefined
  return judgeCertificate(read.record, trust, new Map(), powers).ok ? read.record : undefined
}

const callOf = (
  hello: JoinHello,
  key: string,
  shown: SignedRecord<Certificate> | undefined,
  authority: Authority,
  desk: ZoneDesk,
): JoinCall => {
  const { book, powers, self, trustedNowMs } = desk.options
  const keyId = desk.keyIdOf(key)
  const token = hello.token === null ? undefined : parseToken(hello.token)
  const isOurs = token?.issuer === issuerOf(self.signer.keyId)
  const numbers = new Map([[keyId, book.certificateOf(keyId)?.body.number ?? 0]])
  const judged = shown === undefined ? undefined : judgeCertificate(shown, authority.trust, numbers, powers)
  const mayJoin = judged?.ok === true && mayDo(judged.standing, 'join', trustedNowMs()).ok
  return {
    hello,
    key,
    keyId,
    token: token !== undefined && isOurs ? { host: token.host, hash: tokenHash(token, powers.hash) } : undefined,
    shown: mayJoin ? shown?.body : undefined,
  }
}

const deskOf = (desk: ZoneDesk, { networkId }: Authority): JoinDesk => {
  const { register, options } = desk
  return {
    networkId,
    parent: options.self.name,
    expected: desk.place,
    member: register.member,
    hostOfKey: register.hostOfKey,
    hostOfHostId: desk.hostOfHostId,
    token: register.token,
    blocked: desk.blocked(),
    keyIdOf: desk.keyIdOf,
  }
}

const admitted = (desk: ZoneDesk, { networkId }: Authority, { member, certificate }: Enrolled): JoinAnswer => {
  const { book, self } = desk.options
  const own = book.certificateOf(self.signer.keyId)
  if (own === undefined) return refused('not-ready', `${self.name} has no certificate itself yet: try again`)
  const records = book.recordsFor(member.scope)
  if (records.length > joinLimits.records)
    return refused(
      'too-many-records',
      `${self.name} has ${records.length} records for ${member.scope}, too many to send`,
    )
  return {
    v: joinFormat,
    kind: 'admitted',
    network: networkId,
    session: member.session,
    self: {
      name: member.host,
      role: member.role,
      scope: member.scope,
      site: member.role === 'edge' ? (desk.register.scope(member.scope)?.id ?? null) : null,
    },
    parent: { name: self.name, scope: self.scope },
    certificate: toHex(certificate.bytes),
    parentCertificate: toHex(own.bytes),
    records: records.map(({ bytes }) => toHex(bytes)),
  }
}

/** What a call came to, and the key that is the host's no more. */
export interface Judged {
  readonly answer: JoinAnswer
  readonly replaced: string | undefined
}

export interface Caught {
  readonly hello: unknown
  readonly key: string
  readonly address: string | undefined
}

/** Judges one call and does what was decided: lists the caller, or enrols it and makes its answer. */
export const answerCall = async (desk: ZoneDesk, unclaimed: Unclaimed, caught: Caught): Promise<Judged> => {
  const { self, clock, book } = desk.options
  const { key, address } = caught
  const only = (answer: JoinAnswer): Judged => ({ answer, replaced: undefined })
  const read = readHello(caught.hello)
  if (!read.ok) return only(refused(read.code, read.text))
  const hello = read.message
  const authority = desk.authority()
  if (authority === undefined)
    return only(
      refused('not-ready', `${self.name} is no member of the network itself yet: try again, or another parent`),
    )
  const shown = shownBy(hello, key, authority, desk)
  // Another node of this zone may have given a newer certificate: numbers go on from there.
  if (shown !== undefined) await book.take([shown.bytes])
  const call = callOf(hello, key, shown, authority, desk)
  const decision: JoinDecision = judgeJoin(call, deskOf(desk, authority), desk.options.joinGuards)
  switch (decision.kind) {
    case 'refuse':
      return only(refused(decision.code, decision.message))
    case 'list': {
      const { hostId, name, role, scope } = hello
      unclaimed.put({
        state: decision.as,
        key,
        keyId: call.keyId,
        hostId,
        name,
        role,
        scope,
        address,
        match: decision.match,
        calledMs: clock.monotonicMs(),
      })
      return only(
        decision.as === 'duplicate'
          ? refused('duplicate', decision.message)
          : { v: joinFormat, kind: 'waiting', fingerprint: call.keyId, message: decision.message },
      )
    }
    case 'admit': {
      const enrolled = await enrol(desk, authority, {
        host: decision.host,
        place: decision.place,
        key,
        hostId: hello.hostId,
        session: hello.session,
        tokenHash: decision.how === 'token' ? call.token?.hash : undefined,
        sealing: hello.sealing,
        firstList: hello.authority,
        shownNumber: shown?.body.number ?? 0,
      })
      unclaimed.remove(key)
      return { answer: admitted(desk, authority, enrolled), replaced: enrolled.replaced }
    }
  }
}

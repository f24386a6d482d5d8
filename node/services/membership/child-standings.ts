import {
  type Certificate,
  judgeCertificate,
  mayDo,
  type SignedRecord,
  type Standing,
  type Trust,
} from '../../../crdt/index.ts'
import type { ZoneDesk } from './zone-desk.ts'

interface JudgedStanding {
  readonly record: SignedRecord<Certificate>
  readonly trust: Trust
  readonly standing: Standing | undefined
}

/** What the keys of children may do by their certificates, each judged once until something is known anew. */
export interface ChildStandings {
  /** Blocked and superseded ones too. Undefined for no child of this node. */
  of(peerKey: string): Standing | undefined
  /** Those whose certificates do not hold by their dates alone. */
  outOfDate(): readonly string[]
  forget(peerKey: string): void
}

export const createChildStandings = (desk: ZoneDesk): ChildStandings => {
  const { register, options } = desk
  const { book, powers, trustedNowMs } = options
  const standings = new Map<string, JudgedStanding>()

  const standingOf = (peerKey: string): Standing | undefined => {
    const host = register.hostOfKey(peerKey)
    const member = host === undefined ? undefined : register.member(host)
    const trust = book.trust()
    if (member === undefined || trust === undefined || desk.place(member.host) === undefined) return undefined
    const keyId = desk.keyIdOf(peerKey)
    const record = book.certificateOf(keyId)
    if (record === undefined) return undefined
    const known = standings.get(peerKey)
    if (known?.record === record && known.trust === trust) return known.standing
    const judged = judgeCertificate(record, trust, new Map([[keyId, member.certificate]]), powers)
    const standing = judged.ok
      ? { ...judged.standing, isBlocked: judged.standing.isBlocked || desk.isCutOff(member.host) }
      : undefined
    standings.set(peerKey, { record, trust, standing })
    return standing
  }

  return {
    of: standingOf,
    outOfDate: () => {
      const nowMs = trustedNowMs()
      return register.members().flatMap(({ key }) => {
        const standing = key === null ? undefined : standingOf(key)
        if (key === null || standing === undefined || !mayDo(standing, 'join', undefined).ok) return []
        return mayDo(standing, 'join', nowMs).ok ? [] : [key]
      })
    },
    forget: (peerKey) => void standings.delete(peerKey),
  }
}

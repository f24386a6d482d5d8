import { parseScopePath } from '../../../base/index.ts'
import {
  type AuthorityPowers,
  type Certificate,
  certificateKind,
  fromHex,
  judgeCertificate,
  mayDo,
  readRecord,
  type SignedRecord,
  type Trust,
  toHex,
} from '../../../crdt/index.ts'
import { parentOf } from '../../../topologies/index.ts'
import type { JoinAdmitted } from './join-messages.ts'

export interface ParentQuestion {
  readonly answer: JoinAdmitted
  /** Who answered, as the link proved. */
  readonly parentKey: string
  readonly self: { readonly key: string; readonly scope: string; readonly role: Certificate['role'] }
  /** With the records of the answer taken in. */
  readonly trust: Trust
  /** The highest number known of the parent's certificates. */
  readonly highestNumber: number
}

export type JudgedParent =
  | { readonly ok: true; readonly own: SignedRecord<Certificate>; readonly parent: SignedRecord<Certificate> }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** What a parent has to stand up to. Tests leave one out to see what it stops. */
export const parentGuards = ['key', 'chain', 'scope', 'standing', 'own-key', 'own-chain', 'own-place'] as const
export type ParentGuard = (typeof parentGuards)[number]

const refuse = (code: string, message: string): JudgedParent => ({ ok: false, code, message })

/**
 * Judges whether who answered may be this node's parent, and whether the certificate it gave holds. By chain, numbers and
 * block lists alone: this node's clock may say anything.
 */
export const judgeParent = (
  question: ParentQuestion,
  powers: AuthorityPowers,
  guards: ReadonlySet<ParentGuard> = new Set(parentGuards),
): JudgedParent => {
  const { answer, parentKey, self, trust, highestNumber } = question
  const asks = (guard: ParentGuard) => guards.has(guard)
  const name = answer.parent.name
  const read = (digits: string) => readRecord(certificateKind, fromHex(digits), powers)

  const shown = read(answer.parentCertificate)
  if (!shown.ok) return refuse(shown.refusal.code, `the certificate of ${name}: ${shown.refusal.message}`)
  const parent = shown.record
  if (asks('key') && parent.body.key !== parentKey)
    return refuse('not-a-parent', `${name} shows a certificate of another key than the one it called with`)
  const judged = judgeCertificate(parent, trust, new Map(), powers)
  if (asks('chain') && !judged.ok)
    return refuse(judged.refusal.code, `the certificate of ${name}: ${judged.refusal.message}`)
  const above = parentOf(parseScopePath(self.scope))
  if (asks('scope') && (parent.body.scope !== above || answer.parent.scope !== above))
    return refuse('not-a-parent', `${name} is of ${parent.body.scope}, not of the scope directly above ${self.scope}`)
  const standing = judged.ok
    ? { ...judged.standing, isSuperseded: parent.body.number < highestNumber }
    : { certificate: parent.body, keyId: '', isBlocked: false, isSuperseded: false }
  const may = mayDo(standing, 'admit', undefined)
  if (asks('standing') && !may.ok) return refuse(may.refusal.code, `${name} may not admit: ${may.refusal.message}`)

  const given = read(answer.certificate)
  if (!given.ok) return refuse(given.refusal.code, `the certificate ${name} gave: ${given.refusal.message}`)
  const own = given.record
  if (asks('own-key') && own.body.key !== self.key)
    return refuse('bad-certificate', `${name} gave a certificate for another key`)
  // Whether its key is on the list of the zone it runs is for that zone to say: the parent only lets it in.
  const outside = { ...trust, anchors: new Map([...trust.anchors].filter(([zone]) => zone !== self.scope)) }
  const ownJudged = judgeCertificate(own, outside, new Map(), powers)
  if (asks('own-chain') && !ownJudged.ok)
    return refuse(ownJudged.refusal.code, `the certificate ${name} gave: ${ownJudged.refusal.message}`)
  if (asks('own-place') && (own.body.scope !== self.scope || own.body.role !== self.role))
    return refuse('bad-certificate', `${name} gave a certificate of ${own.body.scope}, this node is of ${self.scope}`)
  return { ok: true, own, parent }
}

/** The raw public key of a signer as text. */
export const peerKeyOf = ({ publicKey }: { readonly publicKey: Uint8Array }): string => toHex(publicKey)

import {
  type AuthorityPowers,
  type Certificate,
  certificateKind,
  judgeCertificate,
  type KeyId,
  mayDo,
  readRecord,
  type Trust,
} from '../../../crdt/index.ts'

/** A host as the other end of a link between siblings sees it. */
export interface SiblingQuestion {
  /** What it shows. */
  readonly certificate: Uint8Array
  /** Who it is, as the link proved: 64 hexadecimal digits. */
  readonly peerKey: string
  /** What it has to be allowed: `join` for who asks, `store` for who keeps. */
  readonly act: 'join' | 'store'
  /** This host's own newest certificate. */
  readonly own: Certificate
  readonly trust: Trust
  /** The highest numbers seen of certificates, by key. */
  readonly highestNumbers: ReadonlyMap<KeyId, number>
}

export type JudgedSibling =
  | { readonly ok: true; readonly certificate: Certificate; readonly site: string }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** What a sibling has to stand up to. Tests leave one out to see what it stops. */
export const siblingGuards = ['key', 'role', 'zone', 'other-site', 'chain', 'standing'] as const
export type SiblingGuard = (typeof siblingGuards)[number]

const refuse = (code: string, message: string): JudgedSibling => ({ ok: false, code, message })
const zoneOf = (scope: string): string => scope.slice(0, scope.lastIndexOf('/')) || '/'

/**
 * Whether a host is one of another site of the same zone, enrolled by the same authority and not blocked. By chain, numbers
 * and block lists alone: neither end's clock is asked, as no parent whose time is trusted is there.
 */
export const judgeSibling = (
  { certificate, peerKey, act, own, trust, highestNumbers }: SiblingQuestion,
  powers: AuthorityPowers,
  guards: ReadonlySet<SiblingGuard> = new Set(siblingGuards),
): JudgedSibling => {
  const asks = (guard: SiblingGuard) => guards.has(guard)
  const read = readRecord(certificateKind, certificate, powers)
  if (!read.ok) return refuse(read.refusal.code, read.refusal.message)
  const { body } = read.record
  if (asks('key') && body.key !== peerKey)
    return refuse('not-a-sibling', 'a caller shows a certificate of another key than its own')
  if (asks('role') && (body.role !== 'edge' || body.site === null))
    return refuse('not-a-sibling', 'a caller is no host of a site')
  if (asks('zone') && (body.issuer !== own.issuer || zoneOf(body.scope) !== zoneOf(own.scope)))
    return refuse('wrong-zone', 'a caller is of another zone')
  if (asks('other-site') && body.site === own.site)
    return refuse('same-site', 'a caller is of this very site: its hosts keep nothing for each other')
  const judged = judgeCertificate(read.record, trust, highestNumbers, powers)
  if (asks('chain') && !judged.ok) return refuse(judged.refusal.code, judged.refusal.message)
  const may: ReturnType<typeof mayDo> = judged.ok ? mayDo(judged.standing, act, undefined) : { ok: true }
  if (asks('standing') && !may.ok) return refuse(may.refusal.code, may.refusal.message)
  return { ok: true, certificate: body, site: body.site ?? '' }
}

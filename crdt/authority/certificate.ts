import * as z from 'zod'
import { namePattern } from '../../base/index.ts'
import { count, hash, ownerId, publicKey, record, scopePath, shortId, sorted, timeMs } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import type { RecordKind } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import type { KeyId } from './signatures.ts'

/** What a node's key is for. Others may come: a node ignores those it does not know. */
export const capabilities = ['join', 'relay', 'report', 'write', 'admit', 'operate', 'store'] as const
/**
 * `join` a link; `relay` signed bytes; `report` of its scope; `write` lanes its owner's list names it for; `admit` others
 * to its scope; `operate` (exec, log follow) inside it; `store` sealed bytes for siblings.
 */
export type Capability = (typeof capabilities)[number]

/** What a node shows for its key (DESIGN.md section 4). */
export interface Certificate {
  readonly kind: 'certificate'
  readonly network: string
  /** The node's public key: its libp2p identity. */
  readonly key: string
  readonly role: 'tower' | 'aggregator' | 'edge'
  readonly scope: string
  /** The id of the site, for an edge. */
  readonly site: string | null
  /** The name of the host it was issued to; another node of the issuer's zone knows it by this. */
  readonly host?: string
  readonly capabilities: readonly string[]
  readonly issuer: OwnerId
  /** The issuer's when it signed. */
  readonly generation: number
  /** Counts the certificates of one key: the highest holds. */
  readonly number: number
  /** The X25519 key others seal to; null when there is none. */
  readonly sealing: string | null
  /** Judged only by a parent whose time is trusted; milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
}

export const certificateKind: RecordKind<Certificate> = {
  kind: 'certificate',
  schema: record({
    kind: z.literal('certificate'),
    network: hash,
    key: publicKey,
    role: z.enum(['tower', 'aggregator', 'edge']),
    scope: scopePath,
    site: shortId.nullable(),
    host: z.string().regex(namePattern).optional(),
    capabilities: sorted(z.string().regex(namePattern), 32),
    issuer: ownerId,
    generation: count,
    number: count,
    sealing: hash.nullable(),
    fromMs: timeMs,
    untilMs: timeMs,
  }).refine(({ role, site }) => (role === 'edge') === (site !== null), 'an edge, and only an edge, is of a site'),
}

/** A certificate whose chain was judged, with what is known of it now. */
export interface Standing {
  readonly certificate: Certificate
  readonly keyId: KeyId
  /** The key or its site is on a block list. */
  readonly isBlocked: boolean
  /** A higher numbered one of the same key is known. */
  readonly isSuperseded: boolean
}

export type May = { readonly ok: true } | Refused

const yes: May = { ok: true }

/**
 * Whether a key may do something. An expired, early or superseded key that is not blocked may do exactly one thing: renew.
 * @param trustedNowMs the time where it is trusted, milliseconds since 1970; undefined where it is not: dates then say
 *   nothing, so a node at 1970 and one ten years ahead judge alike
 */
export const mayDo = (
  { certificate, isBlocked, isSuperseded }: Standing,
  act: Capability | 'renew',
  trustedNowMs: number | undefined,
): May => {
  if (isBlocked) return refuse('blocked', 'the key is blocked: its parent can allow it again')
  if (act === 'renew') return yes
  if (isSuperseded) return refuse('superseded', 'the certificate is superseded: the key may only renew it')
  if (trustedNowMs !== undefined && trustedNowMs >= certificate.untilMs)
    return refuse('expired', 'the certificate has expired: the key may only renew it')
  if (trustedNowMs !== undefined && trustedNowMs < certificate.fromMs)
    return refuse('not-yet-valid', 'the certificate is not valid yet: the key may only renew it')
  return certificate.capabilities.includes(act)
    ? yes
    : refuse('no-capability', `the certificate does not allow its key to ${act}`)
}

/**
 * Whether a parent gives a key a new certificate without a person: it enrolled the key itself (its member lane says so) and
 * did not block it. What certificate the key shows does not matter, nor how old it is.
 */
export const mayRenew = (keyId: KeyId, enrolled: ReadonlySet<KeyId>, blocked: ReadonlySet<KeyId>): May => {
  if (blocked.has(keyId)) return refuse('blocked', 'the key is blocked: its parent can allow it again')
  return enrolled.has(keyId) ? yes : refuse('not-entitled', 'the key was never enrolled here: enrol it')
}

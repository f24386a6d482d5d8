import * as z from 'zod'
import {
  type AuthorityPowers,
  type Certificate,
  certificateKind,
  judgeCertificate,
  type KeyId,
  mayDo,
  type Owner,
  readRecord,
  type Trust,
} from '../../../crdt/index.ts'

/** The format of what aggregators of one zone say to each other first (docs/adr/0038-aggregators-of-one-zone.md). */
export const fellowFormat = 1
export const fellowLimits = { helloBytes: 32 * 1024, answerBytes: 8 * 2 ** 20, records: 4_096 } as const

const base64 = (characters: number) =>
  z
    .string()
    .max(characters)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
const v = z.literal(fellowFormat)
const helloSchema = z.strictObject({
  v,
  network: z.string().regex(/^[0-9a-f]{64}$/),
  certificate: base64(8 * 1024),
})
const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    v,
    kind: z.literal('welcome'),
    certificate: base64(8 * 1024),
    /** Of the way down from the root to the zone: the caller may have missed a key list. */
    records: z.array(base64(160 * 1024)).max(fellowLimits.records),
  }),
  z.object({ v, kind: z.literal('refused') }),
])

const read =
  <Message>(schema: z.ZodType<Message>) =>
  (value: unknown): Message | undefined => {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : undefined
  }

/** Each answers undefined for what is not in its form. */
export const readFellowHello = read<z.infer<typeof helloSchema>>(helloSchema)
export const readFellowAnswer = read<z.infer<typeof answerSchema>>(answerSchema)

/** Another aggregator as the other end of a link sees it. */
export interface FellowQuestion {
  /** What it shows. */
  readonly certificate: Uint8Array
  /** Who it is, as the link proved: 64 hexadecimal digits. */
  readonly peerKey: string
  /** The zone both should be of, and its owner as it is believed here. */
  readonly scope: string
  readonly owner: Owner | undefined
  readonly trust: Trust
  /** The highest numbers seen of certificates, by key. */
  readonly highestNumbers: ReadonlyMap<KeyId, number>
  readonly keyIdOf: (key: string) => KeyId
}

export type JudgedFellow =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** What a fellow has to stand up to. Tests leave one out to see what it stops. */
export const fellowGuards = ['key', 'place', 'list', 'chain', 'standing'] as const
export type FellowGuard = (typeof fellowGuards)[number]

const refuse = (code: string, message: string): JudgedFellow => ({ ok: false, code, message })

/**
 * Whether a caller is another aggregator of this very zone, whose key writes what the zone writes, and not blocked. By chain,
 * numbers and block lists alone: neither end's clock is asked.
 */
export const judgeFellow = (
  { certificate, peerKey, scope, owner, trust, highestNumbers, keyIdOf }: FellowQuestion,
  powers: AuthorityPowers,
  guards: ReadonlySet<FellowGuard> = new Set(fellowGuards),
): JudgedFellow => {
  const asks = (guard: FellowGuard) => guards.has(guard)
  const shown = readRecord(certificateKind, certificate, powers)
  if (!shown.ok) return refuse(shown.refusal.code, shown.refusal.message)
  const { body } = shown.record
  if (asks('key') && body.key !== peerKey)
    return refuse('not-a-fellow', 'a caller shows a certificate of another key than its own')
  if (asks('place') && (body.role !== 'aggregator' || body.scope !== scope))
    return refuse('not-a-fellow', `a caller is no aggregator of ${scope}`)
  if (asks('list') && owner?.keys.has(keyIdOf(peerKey)) !== true)
    return refuse('not-on-list', `a caller is not on the list of keys of ${scope} that is known here`)
  const judged = judgeCertificate(shown.record, trust, highestNumbers, powers)
  if (asks('chain') && !judged.ok) return refuse(judged.refusal.code, judged.refusal.message)
  const may: ReturnType<typeof mayDo> = judged.ok ? mayDo(judged.standing, 'join', undefined) : { ok: true }
  if (asks('standing') && !may.ok) return refuse(may.refusal.code, may.refusal.message)
  return { ok: true, certificate: body }
}

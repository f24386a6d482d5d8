import * as z from 'zod'
import { namePattern } from '../../../base/index.ts'

/** The format of both messages (docs/adr/0025-enrolment.md). */
export const joinFormat = 1
export const joinLimits = {
  /** Digits of a certificate in hexadecimal. */
  certificateDigits: 8 * 1024,
  /** Digits of any record: 64 KiB of body and its signatures. */
  recordDigits: 160 * 1024,
  /** Records that come with an answer. */
  records: 1_000,
  hostIdCharacters: 128,
  messageCharacters: 1_000,
  /** The highest session a caller may say it was given. */
  session: 0x7fffffff,
} as const

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
/** Whole bytes; one pass over a text of any length. */
const bytes = (digits: number) =>
  z
    .string()
    .refine((text) => text.length > 0 && text.length <= digits && text.length % 2 === 0 && /^[0-9a-f]+$/.test(text))
const role = z.enum(['tower', 'aggregator', 'edge'])
const scope = z
  .string()
  .max(1_024)
  .refine(
    (text) =>
      text === '/' ||
      (text.startsWith('/') &&
        text
          .slice(1)
          .split('/')
          .every((part) => namePattern.test(part))),
  )
const name = z.string().regex(namePattern)
/** Printable ASCII: it is shown to a person who decides. */
const hostId = z
  .string()
  .max(joinLimits.hostIdCharacters)
  .regex(/^[\x20-\x7e]+$/)
const words = z.string().max(joinLimits.messageCharacters)

const helloSchema = z.strictObject({
  v: z.literal(joinFormat),
  network: hex(64),
  /** Empty for a host that does not know what it will be called. */
  name: z.union([name, z.literal('')]),
  hostId,
  role,
  /** The zone or site it was set up for. */
  scope,
  token: z.string().max(200).nullable(),
  /** Its newest certificate, in hexadecimal. */
  certificate: bytes(joinLimits.certificateDigits).nullable(),
  /** The highest session it was ever given; 0 before the first. */
  session: z.number().int().min(0).max(joinLimits.session),
  /** The X25519 key that others seal to; absent from a node that has none. */
  sealing: hex(64).optional(),
  /** The first key list of its zone, from an aggregator whose zone renews itself. */
  authority: bytes(joinLimits.certificateDigits).optional(),
})

/** What a caller says first on a link. Who it is the link proved: its key is not in here. */
export type JoinHello = z.infer<typeof helloSchema>

const admittedSchema = z.strictObject({
  v: z.literal(joinFormat),
  kind: z.literal('admitted'),
  network: hex(64),
  session: z.number().int().min(1).max(0xffffffff),
  /** What the caller is from now on; `site` is the id of an edge's site. */
  self: z.strictObject({ name, role, scope, site: hex(32).nullable() }),
  parent: z.strictObject({ name, scope }),
  /** The caller's. */
  certificate: bytes(joinLimits.certificateDigits),
  parentCertificate: bytes(joinLimits.certificateDigits),
  /** What the caller needs to judge both: from the root down to its scope. */
  records: z.array(bytes(joinLimits.recordDigits)).max(joinLimits.records),
})

const waitingSchema = z.strictObject({
  v: z.literal(joinFormat),
  kind: z.literal('waiting'),
  /** The id of the caller's key as the parent saw it: a person compares it at both ends. */
  fingerprint: hex(64),
  message: words,
})

const refusedSchema = z.strictObject({
  v: z.literal(joinFormat),
  kind: z.literal('refused'),
  code: z.string().regex(/^[a-z][a-z-]{0,63}$/),
  message: words,
})

const answerSchema = z.discriminatedUnion('kind', [admittedSchema, waitingSchema, refusedSchema])

export type JoinAdmitted = z.infer<typeof admittedSchema>
/** What a parent answers. */
export type JoinAnswer = z.infer<typeof answerSchema>

export type ReadMessage<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly code: 'newer-format' | 'bad-message'; readonly text: string }

const read =
  <Message>(schema: z.ZodType<Message>, what: string) =>
  (value: unknown): ReadMessage<Message> => {
    const format = typeof value === 'object' && value !== null ? (value as { v?: unknown }).v : undefined
    if (typeof format === 'number' && format > joinFormat)
      return {
        ok: false,
        code: 'newer-format',
        text: `the ${what} has format ${format}, this node reads ${joinFormat}: update this node`,
      }
    const parsed = schema.safeParse(value)
    if (parsed.success) return { ok: true, message: parsed.data }
    const at = parsed.error.issues[0]?.path.join('.') ?? ''
    return { ok: false, code: 'bad-message', text: `the ${what} is not readable${at === '' ? '' : `: ${at}`}` }
  }

/** Reads what a caller said. Never throws. */
export const readHello = read<JoinHello>(helloSchema, 'hello of the caller')
/** Reads what a parent answered. Never throws. */
export const readAnswer = read<JoinAnswer>(answerSchema, 'answer of the parent')

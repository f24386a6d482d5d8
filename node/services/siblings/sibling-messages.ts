import * as z from 'zod'

/** The format of all messages between siblings, and of what a parent says of deposits (docs/adr/0031-siblings.md). */
export const siblingFormat = 1
export const siblingLimits = {
  /** A hello or a short question, in bytes. */
  helloBytes: 32 * 1024,
  /** A deposit as its parent leaves it, written in JSON. */
  leaveBytes: 2 * 2 ** 20,
  /** Records a sibling may bring with its answer: what came of the zone's own authority since. */
  records: 256,
  recordCharacters: 160 * 1024,
  answerBytes: 4 * 2 ** 20,
  /** Deposits for one host: one of each aggregator. */
  deposits: 8,
  readers: 1_024,
} as const

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
const base64 = (characters: number) =>
  z
    .string()
    .max(characters)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
const v = z.literal(siblingFormat)
const record = base64(8 * 1024)
const count = z.number().int().min(0).max(0xffffffff)

const leaveSchema = z.discriminatedUnion('kind', [
  z.strictObject({ v, kind: z.literal('leave'), record, sealed: base64(siblingLimits.leaveBytes) }),
  /** Whose deposits the sender wants kept; its others are dropped. */
  z.strictObject({ v, kind: z.literal('keep'), readers: z.array(hex(64)).max(siblingLimits.readers) }),
])
export type Leave = z.infer<typeof leaveSchema>

/** `older`: a higher number of the same key is kept. `full`: there is no room for another. */
const leaveAnswerSchema = z.object({ v, result: z.enum(['kept', 'known', 'older', 'full']), number: count })
export type LeaveAnswer = z.infer<typeof leaveAnswerSchema>

const helloSchema = z.strictObject({ v, network: hex(64), certificate: base64(8 * 1024) })
const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    v,
    kind: z.literal('welcome'),
    certificate: base64(8 * 1024),
    /** Drawn for this link. */
    nonce: hex(64),
    records: z.array(base64(siblingLimits.recordCharacters)).max(siblingLimits.records),
  }),
  z.object({ v, kind: z.literal('refused') }),
])
const depositHeadSchema = z.object({
  v,
  deposits: z.array(z.object({ record, sizeBytes: count })).max(siblingLimits.deposits),
})
const blobQuestionSchema = z.strictObject({
  v,
  tag: hex(64),
  offset: z
    .number()
    .int()
    .min(0)
    .max(16 * 2 ** 30),
})

const read =
  <Message>(schema: z.ZodType<Message>) =>
  (value: unknown): Message | undefined => {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : undefined
  }

/** Each answers undefined for what is not in its form. */
export const readLeave = read<Leave>(leaveSchema)
export const readLeaveAnswer = read<LeaveAnswer>(leaveAnswerSchema)
export const readSiblingHello = read<z.infer<typeof helloSchema>>(helloSchema)
export const readSiblingAnswer = read<z.infer<typeof answerSchema>>(answerSchema)
export const readDepositHead = read<z.infer<typeof depositHeadSchema>>(depositHeadSchema)
export const readBlobQuestion = read<z.infer<typeof blobQuestionSchema>>(blobQuestionSchema)

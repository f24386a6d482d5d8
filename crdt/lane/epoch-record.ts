import * as z from 'zod'
import { publicKeyBytes } from '../authority/index.ts'

/** Shapes that the records of an epoch share. */
export const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
export const hash = hex(32)
export const documentId = hex(16)
/** Of an owner that renews itself 24 bytes of its first list: `crdt/authority/key-list.ts`. */
export const ownerId = z.union([hex(16), hex(24)])
export const count = z.number().int().min(1).max(0xffffffff)

const sortedOnce = (items: readonly string[]) => items.every((item, at) => at === 0 || (items[at - 1] ?? '') < item)
const sorted = (item: z.ZodType<string>, atMost: number) => z.array(item).max(atMost).refine(sortedOnce, 'not sorted')

export const epochLimits = {
  writers: 64,
  /** Heads of a cut. Whoever seals joins them first where there are more. */
  heads: 512,
  /** What a lane comes to, in bytes of its canonical JSON: a larger one is not sealed. */
  stateBytes: 4 * 2 ** 20,
} as const

export const heads = sorted(hash, epochLimits.heads)
export const writers = sorted(hex(publicKeyBytes), epochLimits.writers).min(1)

/** Keys a later program adds are kept and ignored when they hold a scalar. */
export const shape = (fields: z.ZodRawShape) =>
  z.object(fields).catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))

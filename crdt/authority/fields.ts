import * as z from 'zod'
import { namePattern } from '../../base/index.ts'
import { fromHex } from './signatures.ts'
import { isWeakKey } from './weak-keys.ts'

/** The shapes that fields of signed records share. */
const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `not ${bytes} bytes in hexadecimal`)

export const hash = hex(32)
export const shortId = hex(16)
/** 16 random bytes for an owner whose keys its parent grants; 24 bytes of a hash for one that renews its own. */
export const ownerId = z.union([shortId, hex(24)])
export const publicKey = hash.refine((text) => !isWeakKey(fromHex(text)), 'a key of small order')
export const count = z.number().int().min(1).max(0xffffffff)
export const timeMs = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
export const scopePath = z
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
    'not a path of names',
  )

/** A list written in its one order, nothing twice. */
export const sorted = (item: z.ZodType<string>, atMost: number) =>
  z
    .array(item)
    .max(atMost)
    .refine(
      (items) => items.every((text, at) => at === 0 || (items[at - 1] ?? '') < text),
      'not sorted, or one is there twice',
    )

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

/** An object of a known format: keys it does not know are kept and ignored when they hold a scalar. */
export const record = (shape: z.ZodRawShape) => z.object(shape).catchall(scalar)

import type { BookRecord, BookRefusal } from './book.ts'
import type { HeldCertificate, Kept } from './book-state.ts'

/** What became of one record: kept, with what it replaces, there already, or refused. */
export type Folded =
  | { readonly ok: true; readonly kept: Kept | HeldCertificate | undefined; readonly drops: readonly BookRecord[] }
  | { readonly ok: false; readonly refusal: BookRefusal }

export const known: Folded = { ok: true, kept: undefined, drops: [] }

export const kept = (one: Kept | HeldCertificate, drops: readonly BookRecord[] = []): Folded => ({
  ok: true,
  kept: one,
  drops,
})

export const refused = (code: BookRefusal['code'], message: string): Folded => ({
  ok: false,
  refusal: { code, message } as BookRefusal,
})

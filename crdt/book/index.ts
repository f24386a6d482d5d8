/**
 * The book: signed records a node believes, kept in its store and judged from the root.
 * Must not read a clock, decide who may read or start what, or believe what the store says without judging it.
 * Read first: book.ts, create-book.ts.
 */
export type { Book, BookKind, BookRecord, BookRefusal, BookResult } from './book.ts'
export { BookError } from './book-error.ts'
export { type ReadBookRecord, readBookRecord, type SignedBookRecord } from './book-record.ts'
export { type BookLimits, bookLimits } from './book-state.ts'
export { type BookOptions, createBook } from './create-book.ts'
export { type BookGuard, bookGuards } from './records-for.ts'
export { bookPrefix } from './stored-record.ts'

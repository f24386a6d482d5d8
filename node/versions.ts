import * as z from 'zod'
import { type Log, SkerryError } from '../base/index.ts'
import { type Book, type Hash, toHex } from '../crdt/index.ts'
import type { LinkAnswer } from './links/index.ts'

/** Versions asked for at once. */
export const versionsAtOnce = 256
const questionSchema = z.strictObject({
  v: z.number().int(),
  ids: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(versionsAtOnce),
})
/** Specifications that travel with the versions that name them, in bytes; what does not fit is asked for as a blob. */
const maxSpecificationBytes = 256 * 1024
const answerSchema = z.object({
  v: z.literal(1),
  records: z.array(z.string().max(200_000)).max(versionsAtOnce),
  specifications: z
    .array(z.string().max(2 * maxSpecificationBytes))
    .max(versionsAtOnce)
    .default([]),
})

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

export interface VersionShelf {
  readonly book: Pick<Book, 'version'>
  readonly mayHave: (id: string) => boolean
  /** The specification a version names; undefined when it is not held here. */
  readonly specification: (revision: string) => Promise<Uint8Array | undefined>
}

/**
 * Answers a child with the signed deployment versions it asked for, and with the specifications they name. What is not held
 * and what it may not have are left out alike.
 * @throws {SkerryError} `bad-message`, `newer-format`
 */
export const answerVersions = async (
  question: unknown,
  { book, mayHave, specification }: VersionShelf,
): Promise<{ readonly head: unknown }> => {
  const asked = questionSchema.safeParse(question)
  if (!asked.success) throw new SkerryError('bad-message', 'a question for versions is not in its form')
  if (asked.data.v > 1)
    throw new SkerryError('newer-format', `a question for versions has format ${asked.data.v}: update this node`)
  const versions = asked.data.ids.filter(mayHave).flatMap((id) => book.version(id) ?? [])
  const specifications: string[] = []
  let leftBytes = maxSpecificationBytes
  for (const revision of new Set(versions.map(({ body }) => body.revision))) {
    // One that the disk spoiled is as good as none.
    const bytes = await specification(revision).catch(() => undefined)
    leftBytes -= bytes?.length ?? 0
    if (leftBytes < 0) break
    if (bytes !== undefined) specifications.push(base64(bytes))
  }
  return { head: { v: 1, records: versions.map(({ bytes }) => base64(bytes)), specifications } }
}

export interface VersionTaker {
  readonly book: Pick<Book, 'version' | 'take'>
  readonly hash: Hash
  readonly keepSpecification: (revision: string, bytes: Uint8Array) => Promise<void>
  readonly log: Log
}

/** Fetches versions and what they name from the parent; what the parent does not have stays missing. */
export const fetchVersions = async (
  ids: readonly string[],
  { book, hash, keepSpecification, log }: VersionTaker,
  ask: (question: unknown) => Promise<LinkAnswer>,
): Promise<void> => {
  for (let at = 0; at < ids.length; at += versionsAtOnce) {
    const some = ids.slice(at, at + versionsAtOnce)
    const { head, body } = await ask({ v: 1, ids: some })
    // Nothing follows: read to its end, so that the stream is over at both ends.
    for await (const _ of body) break
    const answer = answerSchema.safeParse(head)
    if (!answer.success)
      throw new SkerryError('bad-message', 'the parent answered a question for versions with something else')
    const taken = await book.take(answer.data.records.map(bytesOf))
    for (const one of taken)
      if (one.kind === 'refused')
        log.warn('a version was refused', { code: one.refusal.code, why: one.refusal.message })
    const named = new Set(some.flatMap((id) => book.version(id)?.body.revision ?? []))
    for (const bytes of answer.data.specifications.map(bytesOf)) {
      const revision = toHex(hash.sha256(bytes))
      if (named.has(revision)) await keepSpecification(revision, bytes)
    }
  }
}

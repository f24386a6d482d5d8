import * as z from 'zod'
import { type Log, SkerryError } from '../base/index.ts'
import type { Book } from '../crdt/index.ts'
import type { LinkAnswer } from './links/index.ts'

/** Versions asked for at once. */
export const versionsAtOnce = 256
const questionSchema = z.strictObject({
  v: z.number().int(),
  ids: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(versionsAtOnce),
})
const answerSchema = z.object({ v: z.literal(1), records: z.array(z.string().max(200_000)).max(versionsAtOnce) })

/**
 * Answers a child with the signed deployment versions it asked for. One that is not held and one it may not have are left
 * out alike.
 * @throws {SkerryError} `bad-message`, `newer-format`
 */
export const answerVersions = (
  question: unknown,
  book: Book,
  mayHave: (id: string) => boolean,
): { readonly head: unknown } => {
  const asked = questionSchema.safeParse(question)
  if (!asked.success) throw new SkerryError('bad-message', 'a question for versions is not in its form')
  if (asked.data.v > 1)
    throw new SkerryError('newer-format', `a question for versions has format ${asked.data.v}: update this node`)
  const records = asked.data.ids.filter(mayHave).flatMap((id) => {
    const version = book.version(id)
    return version === undefined ? [] : [Buffer.from(version.bytes).toString('base64')]
  })
  return { head: { v: 1, records } }
}

/** Fetches versions from the parent into the book; what the parent does not have stays missing. */
export const fetchVersions = async (
  ids: readonly string[],
  book: Book,
  ask: (question: unknown) => Promise<LinkAnswer>,
  log: Log,
): Promise<void> => {
  for (let at = 0; at < ids.length; at += versionsAtOnce) {
    const { head } = await ask({ v: 1, ids: ids.slice(at, at + versionsAtOnce) })
    const answer = answerSchema.safeParse(head)
    if (!answer.success)
      throw new SkerryError('bad-message', 'the parent answered a question for versions with something else')
    const taken = await book.take(answer.data.records.map((text) => new Uint8Array(Buffer.from(text, 'base64'))))
    for (const one of taken)
      if (one.kind === 'refused')
        log.warn('a version was refused', { code: one.refusal.code, why: one.refusal.message })
  }
}

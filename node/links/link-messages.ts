import { errorText, SkerryError } from '../../base/index.ts'
import type { MeshLink, MeshStream } from '../../mesh/index.ts'

/**
 * What streams on a link are for. The child opens `join` first, then `documents`, `reports`, and `versions` and `blob` for
 * each question; the parent opens `request`, and `deposit` for what it leaves. Between siblings the caller opens `sibling`
 * first, then `deposit` and `blob`; between aggregators of one zone `fellow`, then `documents`, and either end `reports`,
 * `versions` and `blob`.
 */
export type LinkPurpose =
  | 'join'
  | 'documents'
  | 'reports'
  | 'versions'
  | 'blob'
  | 'request'
  | 'sibling'
  | 'deposit'
  | 'fellow'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Documents larger than one message of the mesh travel in parts; the last part says so with its first byte. */
const partBytes = 512 * 1024
/** A zone's reports; a bound so that a peer cannot make us buffer for ever. */
const maxDocumentBytes = 64 * 2 ** 20

/** Sends one JSON document, in as many messages as it needs. */
export const sendDocument = async (stream: MeshStream, value: unknown): Promise<void> => {
  const bytes = encoder.encode(JSON.stringify(value))
  for (let at = 0; at === 0 || at < bytes.length; at += partBytes) {
    const part = bytes.subarray(at, at + partBytes)
    const message = new Uint8Array(part.length + 1)
    message[0] = at + partBytes >= bytes.length ? 1 : 0
    message.set(part, 1)
    await stream.send(message)
  }
}

/** One message at a time from a stream that several readers take turns at. */
export interface MessageReader {
  next(): Promise<Uint8Array | undefined>
}

export const readerOf = (stream: MeshStream): MessageReader => {
  const messages = stream.messages[Symbol.asyncIterator]()
  return { next: async () => (await messages.next()).value }
}

/**
 * The next JSON document, or undefined when the other end closed.
 * @param maxBytes @default 64 MiB
 * @throws {SkerryError} `bad-message` when it is too large or not JSON
 */
export const nextDocument = async (reader: MessageReader, maxBytes = maxDocumentBytes): Promise<unknown> => {
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for (;;) {
    const message = await reader.next()
    if (message === undefined) return undefined
    sizeBytes += message.length
    if (sizeBytes > maxBytes)
      throw new SkerryError('bad-message', `a document on the link is larger than ${maxBytes} bytes`)
    parts.push(message.subarray(1))
    if (message[0] === 1) break
  }
  try {
    return JSON.parse(decoder.decode(Buffer.concat(parts)))
  } catch (error) {
    throw new SkerryError('bad-message', `a document on the link is not JSON: ${errorText(error)}`, { cause: error })
  }
}

/** An error as a plain value, so that the asker sees the same words as one who stands at the node. */
export interface LinkError {
  readonly code: string
  readonly message: string
}

export const toLinkError = (error: unknown): LinkError => ({
  code: error instanceof SkerryError ? error.code : 'internal',
  message: errorText(error),
})

export const fromLinkError = ({ code, message }: LinkError): SkerryError => new SkerryError(code, message)

/** An answer: a head, then bytes until the end. */
export interface LinkAnswer {
  readonly head: unknown
  readonly body: AsyncIterable<Uint8Array>
}

const bodyOf = async function* (reader: MessageReader, stream: MeshStream): AsyncGenerator<Uint8Array> {
  let isWhole = false
  try {
    for (let message = await reader.next(); message !== undefined; message = await reader.next()) yield message
    isWhole = true
    await stream.close()
  } finally {
    if (!isWhole) stream.abort('no longer read')
  }
}

/**
 * Asks the peer and waits for the head of its answer.
 * @param maxBytes of that head. @default 64 MiB
 * @throws {SkerryError} the peer's refusal, with its code and words
 */
export const ask = async (
  link: MeshLink,
  purpose: LinkPurpose,
  question: unknown,
  signal?: AbortSignal,
  maxBytes = maxDocumentBytes,
): Promise<LinkAnswer> => {
  // An image must not hold up what decides: blobs, and what is left for others, go when nothing else wants to.
  const isBulk = purpose === 'blob' || purpose === 'deposit'
  const stream = await link.openStream(purpose, { priority: isBulk ? 'bulk' : 'control' })
  const leave = () => stream.abort('the asker left')
  signal?.addEventListener('abort', leave)
  try {
    await sendDocument(stream, question)
    const reader = readerOf(stream)
    const answer = (await nextDocument(reader, maxBytes)) as { error?: LinkError; head?: unknown } | undefined
    if (answer === undefined) throw new SkerryError('link-lost', `${link.peer} closed before it answered`)
    if (answer.error) throw fromLinkError(answer.error)
    return { head: answer.head, body: bodyOf(reader, stream) }
  } catch (error) {
    stream.abort('the question failed')
    throw error
  } finally {
    if (signal?.aborted) stream.abort('the asker left')
  }
}

/** Why the work on an answer ends; one for all, as each question ends so and an error of its own notes where it was made. */
const askerLeft = new SkerryError('link-lost', 'who asked has left')

/**
 * Answers one question on a stream a peer opened; the peer leaving ends the work through `signal`.
 * @param maxBytes of the question. @default 64 MiB
 */
export const answer = async (
  stream: MeshStream,
  work: (question: unknown, signal: AbortSignal) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>,
  maxBytes = maxDocumentBytes,
): Promise<void> => {
  const reader = readerOf(stream)
  const left = new AbortController()
  try {
    const question = await nextDocument(reader, maxBytes)
    // The asker sends nothing more: the end of its side means that it left.
    void reader.next().then(
      () => left.abort(askerLeft),
      () => left.abort(askerLeft),
    )
    const { head, body } = await work(question, left.signal)
    await sendDocument(stream, { head })
    if (body) for await (const chunk of body) await stream.send(chunk)
    await stream.close()
  } catch (error) {
    if (left.signal.aborted) return
    await sendDocument(stream, { error: toLinkError(error) })
      .then(() => stream.close())
      .catch(() => stream.abort('could not answer'))
  }
}

import { type Clock, errorText, type Log, type Random, randomHex, SkerryError } from '../../base/index.ts'
import type { AuthorityPowers, Book, KeyId } from '../../crdt/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../../mesh/index.ts'
import type { BlobServer } from '../blobs.ts'
import { answer } from '../links/index.ts'
import {
  blobTag,
  type DepositShelf,
  judgeSibling,
  readBlobQuestion,
  readSiblingHello,
  siblingFormat,
  siblingLimits,
} from '../services/siblings/index.ts'
import { siblingLinkLimits } from './sibling-link.ts'

/** A blob that this host holds for a tenant, because an application it accepted needs it. */
export interface HeldBlob {
  /** The id of the tenant. */
  readonly tenant: string
  readonly digest: string
}

export interface SiblingDoorOptions {
  readonly mesh: Mesh
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly networkId: string
  /** Id of this host's key. */
  readonly keyId: KeyId
  readonly book: Book
  readonly powers: AuthorityPowers
  readonly shelf: DepositShelf
  /** What own accepted applications lead to: nothing else is handed out. */
  readonly held: () => readonly HeldBlob[]
  readonly blobs: BlobServer
}

/** A host as the one its siblings call: it hands out what is sealed to the caller, and blobs it runs itself. */
export interface SiblingDoor {
  accept(link: MeshLink): void
  /** Callers and their answers since the start, by kind or by the code of the refusal. */
  counts(): Readonly<Record<string, number>>
}

/** Callers of which a refusal was logged: more are counted alone. */
const maxNoted = 100
/** Says of a blob that it is not held, and of one that may not be had, the same. */
const notHeld = () => new SkerryError('not-held', 'the blob is not held here, or this host may not have it')
const anyReference = { document: '0'.repeat(32), application: '0'.repeat(32) }

export const createSiblingDoor = (options: SiblingDoorOptions): SiblingDoor => {
  const { mesh, clock, random, log, book, powers, shelf } = options
  const links = new Set<MeshLink>()
  const counted = new Map<string, number>()
  const noted = new Set<string>()
  const count = (word: string) => counted.set(word, (counted.get(word) ?? 0) + 1)

  const refused = (peer: string, code: string, message: string) => {
    count(code)
    if (noted.has(peer) || noted.size >= maxNoted) return
    noted.add(peer)
    log.info('a caller is no sibling; more of this one are not logged', { peer: peer.slice(0, 16), code, why: message })
  }

  /** Judged anew at each question: a host may be blocked while its link is open. */
  const judge = (certificate: Uint8Array, peerKey: string) => {
    const own = book.certificateOf(options.keyId)?.body
    const trust = book.trust()
    if (own === undefined || trust === undefined)
      return { ok: false as const, code: 'not-ready', message: 'this host is no member itself yet' }
    const question = { certificate, peerKey, act: 'join' as const, own, trust }
    return judgeSibling({ ...question, highestNumbers: book.highestNumbers() }, powers)
  }

  /** Records of the zone's own authority: the caller may have missed a key list that this host's certificate needs. */
  const records = (): readonly string[] =>
    book
      .recordsFor(book.certificateOf(options.keyId)?.body.scope ?? '/')
      .slice(0, siblingLimits.records)
      .map(({ bytes }) => Buffer.from(bytes).toString('base64'))

  const greet = (question: unknown, peerKey: string) => {
    const hello = readSiblingHello(question)
    if (hello === undefined || hello.network !== options.networkId)
      return { ok: false as const, code: 'bad-message', message: 'it said nothing of this network' }
    const certificate = new Uint8Array(Buffer.from(hello.certificate, 'base64'))
    const judged = judge(certificate, peerKey)
    return judged.ok ? { ok: true as const, certificate, nonce: randomHex(random, 32) } : judged
  }

  const deposits = async (peerKey: string) => {
    const kept = (await shelf.of(peerKey)).slice(0, siblingLimits.deposits)
    count('deposits-given')
    const said = kept.map(({ record, sealed }) => ({
      record: Buffer.from(record).toString('base64'),
      sizeBytes: sealed.length,
    }))
    const body = async function* () {
      for (const { sealed } of kept)
        for (let at = 0; at < sealed.length; at += 256 * 1024) yield sealed.subarray(at, at + 256 * 1024)
    }
    return { head: { v: siblingFormat, deposits: said }, body: body() }
  }

  const blob = async (peerKey: string, nonce: string, value: unknown, signal: AbortSignal) => {
    const question = readBlobQuestion(value)
    if (question === undefined) throw new SkerryError('bad-message', 'the question for a blob is not in its form')
    const found = options
      .held()
      .find(({ tenant, digest }) => blobTag({ nonce, tenant, digest }, powers.hash) === question.tag)
    if (found === undefined) throw notHeld()
    count('blobs-given')
    const { tenant, digest } = found
    const { offset } = question
    return options.blobs.answer(peerKey, { v: 1, tenant, digest, reference: anyReference, offset }, signal)
  }

  const serve = (link: MeshLink, stream: MeshStream, guest: { certificate: Uint8Array; nonce: string }) => {
    const { purpose } = stream
    const work = async (question: unknown, signal: AbortSignal) => {
      const judged = judge(guest.certificate, link.peer)
      if (!judged.ok) {
        refused(link.peer, judged.code, judged.message)
        void link.close()
        throw notHeld()
      }
      return purpose === 'deposit' ? deposits(link.peer) : blob(link.peer, guest.nonce, question, signal)
    }
    if (purpose !== 'deposit' && purpose !== 'blob') return stream.abort(`unknown purpose ${purpose}`)
    return answer(stream, work, siblingLimits.helloBytes)
  }

  return {
    counts: () => Object.fromEntries(counted),
    accept: (link) => {
      if (links.size >= siblingLinkLimits.links) {
        count('busy')
        void link.close()
        return
      }
      links.add(link)
      let state: 'calling' | 'judging' | 'refused' | { certificate: Uint8Array; nonce: string } = 'calling'
      let open = 0
      const hangUp = () => void link.close()
      const late = clock.setTimer(siblingLinkLimits.helloWithinMs, () => {
        if (typeof state === 'string') hangUp()
      })
      const end = clock.setTimer(siblingLinkLimits.linkForMs, hangUp)
      void link.closed.then(() => {
        late.cancel()
        end.cancel()
        links.delete(link)
      })
      const failed = (error: unknown) => {
        log.info('a question of a sibling was not answered', { error: errorText(error) })
        hangUp()
      }
      mesh.onStream(link, (stream) => {
        if (typeof state === 'object') {
          if (open >= siblingLinkLimits.questions) return stream.abort('too many questions at once')
          open += 1
          void Promise.resolve(serve(link, stream, state))
            .catch(failed)
            .finally(() => {
              open -= 1
            })
          return
        }
        if (state !== 'calling' || stream.purpose !== 'sibling') return stream.abort('not admitted')
        state = 'judging'
        const welcome = async (question: unknown) => {
          const greeted = greet(question, link.peer)
          const own = book.certificateOf(options.keyId)
          if (!greeted.ok || own === undefined) {
            state = 'refused'
            if (!greeted.ok) refused(link.peer, greeted.code, greeted.message)
            return { head: { v: siblingFormat, kind: 'refused' } }
          }
          count('welcomed')
          state = greeted
          const certificate = Buffer.from(own.bytes).toString('base64')
          const { nonce } = greeted
          return { head: { v: siblingFormat, kind: 'welcome', certificate, nonce, records: records() } }
        }
        answer(stream, welcome, siblingLimits.helloBytes).catch(failed)
      })
    },
  }
}

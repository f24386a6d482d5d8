import { type Clock, errorText, type Log, type Random, type ScopePath, SkerryError, sleep } from '../../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  blockedAt,
  type Documents,
  type KeyId,
  type LaneName,
  type SealingReader,
  takeBundle,
} from '../../crdt/index.ts'
import type { Mesh, MeshLink } from '../../mesh/index.ts'
import type { BlobQuestion } from '../blobs.ts'
import { ask, type LinkAnswer } from '../links/index.ts'
import type { SiblingPeer } from '../services/membership/index.ts'
import {
  blobTag,
  judgeDeposit,
  judgeSibling,
  readDeposit,
  readDepositHead,
  readSiblingAnswer,
  sealedBytes,
  siblingFormat,
  siblingLimits,
} from '../services/siblings/index.ts'
import { siblingLinkLimits, within } from './sibling-link.ts'

/** How a host that has no parent gets on with its siblings, in milliseconds. */
export const siblingTimes = {
  dialMs: 5_000,
  /** After a try in vain; doubles up to the longest, times a random half to one and a half. */
  retryMs: 5_000,
  longestRetryMs: 5 * 60_000,
  /** After a try that brought something: a sibling whose parent link is up may get more. */
  againMs: 60_000,
} as const

/** How it stands with siblings while the parent is away. */
export type SiblingState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'repaired'; readonly forMs: number }
  | { readonly kind: 'none'; readonly reason: string }

export interface SiblingDeskOptions {
  readonly mesh: Mesh
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly networkId: string
  /** Of the site. */
  readonly scope: ScopePath
  readonly zone: ScopePath
  readonly keyId: KeyId
  /** This host's own key, 64 hexadecimal digits. */
  readonly peerKey: string
  readonly reader: SealingReader
  readonly book: Book
  readonly documents: Documents
  readonly powers: AuthorityPowers
  /** Whether a deposit may bring a lane: those that the parent shares with this site. */
  readonly mayBring: (lane: LaneName) => boolean
  /** Siblings that the parent named, from the site's member lane. */
  readonly peers: () => Promise<readonly SiblingPeer[]>
  /** A sibling was reached: what waits for bytes may ask again. */
  readonly onReached: () => void
  /** @default siblingTimes */
  readonly times?: { readonly [Name in keyof typeof siblingTimes]: number }
}

/** An edge as the one that calls its siblings while its parent is away (DESIGN.md section 3, siblings). */
export interface SiblingDesk {
  /** The parent is away for long enough. Harmless when that was said already. */
  begin(): void
  /** The parent is back. */
  end(): void
  stop(): Promise<void>
  state(): SiblingState
  /** Asks siblings for a blob, one after the other. @throws {SkerryError} `not-held`, or that none is reached */
  ask(question: BlobQuestion, signal?: AbortSignal): Promise<LinkAnswer>
}

interface Reached {
  readonly link: MeshLink
  readonly nonce: string
}

export const createSiblingDesk = (options: SiblingDeskOptions): SiblingDesk => {
  const { mesh, clock, random, log, book, documents, powers } = options
  const times = options.times ?? siblingTimes
  const reached = new Map<string, Reached>()
  const reaching = new Map<string, Promise<Reached>>()
  /** The highest number opened, by depositor: what is older says nothing new. */
  const opened = new Map<KeyId, number>()
  let run: { readonly stop: AbortController; readonly done: Promise<void> } | undefined
  let outcome:
    | { readonly kind: 'repaired'; readonly atMs: number }
    | { readonly kind: 'none'; readonly reason: string }
    | undefined
  let noted: string | undefined

  const note = (what: string, fields: Readonly<Record<string, string>> = {}) => {
    const text = JSON.stringify([what, fields])
    if (noted === text) return
    noted = text
    log.info(what, fields)
  }

  const judgeHost = (certificate: Uint8Array, peerKey: string) => {
    const own = book.certificateOf(options.keyId)?.body
    const trust = book.trust()
    if (own === undefined || trust === undefined)
      throw new SkerryError('not-enrolled', 'this host has no certificate to show yet')
    const question = { certificate, peerKey, act: 'store' as const, own, trust }
    return judgeSibling({ ...question, highestNumbers: book.highestNumbers() }, powers)
  }

  /** Says who this host is and hears who the other is. @throws {SkerryError} why they do not get together */
  const greet = async (link: MeshLink): Promise<string> => {
    const own = book.certificateOf(options.keyId)
    if (own === undefined) throw new SkerryError('not-enrolled', 'this host has no certificate to show yet')
    const hello = {
      v: siblingFormat,
      network: options.networkId,
      certificate: Buffer.from(own.bytes).toString('base64'),
    }
    const { head } = await within(clock, siblingLinkLimits.helloWithinMs, 'the welcome of a sibling', (signal) =>
      ask(link, 'sibling', hello, signal, siblingLimits.answerBytes),
    )
    const said = readSiblingAnswer(head)
    if (said === undefined) throw new SkerryError('bad-message', 'a sibling answered with something else')
    if (said.kind === 'refused') throw new SkerryError('refused', 'a sibling does not take this host for one')
    // Judged one by one; among them may be the key list that the sibling's certificate rests on.
    await book.take(said.records.map((text) => new Uint8Array(Buffer.from(text, 'base64'))))
    const judged = judgeHost(new Uint8Array(Buffer.from(said.certificate, 'base64')), link.peer)
    if (!judged.ok) throw new SkerryError(judged.code, `the host at a sibling's address is none: ${judged.message}`)
    return said.nonce
  }

  const dial = async ({ key, address }: SiblingPeer): Promise<Reached> => {
    const signal = run?.stop.signal
    const link = await mesh.dial(address, { timeoutMs: times.dialMs, ...(signal && { signal }) })
    try {
      if (link.peer !== key)
        throw new SkerryError('other-host', `another host answers at ${address} than the sibling the parent named`)
      mesh.onStream(link, (stream) => stream.abort('a sibling asks nothing'))
      const made = { link, nonce: await greet(link) }
      if (signal?.aborted !== false) throw new SkerryError('parent-back', 'the parent is back')
      reached.set(key, made)
      void link.closed.then(() => {
        if (reached.get(key) === made) reached.delete(key)
      })
      return made
    } catch (error) {
      void link.close()
      throw error
    }
  }
  const reach = (peer: SiblingPeer): Promise<Reached> => {
    const known = reached.get(peer.key)
    if (known !== undefined) return Promise.resolve(known)
    const going = reaching.get(peer.key) ?? dial(peer).finally(() => reaching.delete(peer.key))
    reaching.set(peer.key, going)
    return going
  }

  /** The bytes of each deposit, cut out of one body. */
  const split = async (body: AsyncIterable<Uint8Array>, sizes: readonly number[], mostBytes: number) => {
    const parts: Uint8Array[] = []
    let total = 0
    for await (const piece of body) {
      total += piece.length
      if (total > mostBytes) throw new SkerryError('bad-message', 'a sibling sent more than it said')
      parts.push(piece)
    }
    const whole = Buffer.concat(parts)
    if (whole.length !== mostBytes) throw new SkerryError('cut-short', 'a deposit came short')
    let at = 0
    return sizes.map((size) => {
      at += size
      return Uint8Array.from(whole.subarray(at - size, at))
    })
  }

  /** Opens a deposit and takes what is in it. */
  const takeDeposit = async (record: Uint8Array, sealed: Uint8Array, from: string): Promise<boolean> => {
    const trust = book.trust()
    const zone = book.ownerAt(options.zone, 'zone')
    if (trust === undefined) return false
    const desk = { networkId: options.networkId, zone, blocked: blockedAt(trust, options.zone) }
    const judged = judgeDeposit({ record, sealed }, desk, powers)
    if (!judged.ok) throw new SkerryError(judged.code, judged.message)
    const { body } = judged.record
    if (body.reader !== options.peerKey) throw new SkerryError('not-for-this-key', 'a deposit is for another host')
    if ((opened.get(judged.depositor) ?? 0) >= body.number) return true
    const context = { networkId: options.networkId, use: 'sibling-deposit' } as const
    const plain = options.reader.open(sealed, context)
    if (!plain.ok) throw new SkerryError(plain.refusal.code, plain.refusal.message)
    const content = readDeposit(plain.bytes)
    if (content === 'newer-format')
      throw new SkerryError('newer-format', 'a deposit has a newer format: update this node to read it')
    if (content === undefined) throw new SkerryError('bad-message', 'a deposit is not in its form')
    const refusals = new Map<string, string>()
    const lacks = await takeBundle(
      {
        documents,
        book,
        hash: powers.hash,
        from,
        scope: options.scope,
        mayBring: options.mayBring,
        refuse: (code, why) => refusals.set(code, why),
      },
      content,
    )
    opened.set(judged.depositor, body.number)
    for (const [code, why] of refusals) log.info('part of a deposit was refused', { code, why })
    log.info('took what the parent left with a sibling', { sibling: from.slice(0, 16), number: body.number, lacks })
    return true
  }

  /** @returns whether it held anything for this host */
  const fetchFrom = async (peer: SiblingPeer): Promise<boolean> => {
    const { link } = await reach(peer)
    const found = await within(clock, siblingLinkLimits.depositWithinMs, 'a deposit', async (signal) => {
      const { head, body } = await ask(link, 'deposit', { v: siblingFormat }, signal, siblingLimits.helloBytes * 8)
      const said = readDepositHead(head)
      if (said === undefined) throw new SkerryError('bad-message', 'a sibling answered with something else')
      const sizes = said.deposits.map(({ sizeBytes }) => sizeBytes)
      const total = sizes.reduce((sum, size) => sum + size, 0)
      if (total > siblingLimits.deposits * sealedBytes)
        throw new SkerryError('too-large', 'a sibling says it holds more than anybody left')
      const pieces = await split(body, sizes, total)
      return said.deposits.map((one, at) => ({
        record: new Uint8Array(Buffer.from(one.record, 'base64')),
        sealed: pieces[at] ?? new Uint8Array(0),
      }))
    })
    let held = false
    for (const { record, sealed } of found)
      try {
        held = (await takeDeposit(record, sealed, peer.key)) || held
      } catch (error) {
        note('a deposit was refused', { sibling: peer.key.slice(0, 16), why: errorText(error) })
      }
    return held
  }

  /** Tries all siblings once. */
  const round = async (): Promise<void> => {
    const peers = await options.peers()
    const reasons: string[] = []
    let isRepaired = false
    for (const peer of peers)
      try {
        if (await fetchFrom(peer)) isRepaired = true
        else reasons.push('a sibling keeps nothing for this host')
      } catch (error) {
        reasons.push(errorText(error))
      }
    if (run === undefined || run.stop.signal.aborted) return
    if (isRepaired) {
      outcome = { kind: 'repaired', atMs: clock.monotonicMs() }
      note('repaired from a sibling')
    } else {
      const reason = peers.length === 0 ? 'the parent named none' : [...new Set(reasons)].join('; ')
      outcome = { kind: 'none', reason }
      note('no sibling reachable', { reason })
    }
    if (reached.size > 0) options.onReached()
  }

  const loop = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries++) {
      await round().catch((error: unknown) => note('siblings could not be asked', { error: errorText(error) }))
      if (outcome?.kind === 'repaired') tries = 0
      const waitMs =
        outcome?.kind === 'repaired'
          ? times.againMs
          : Math.min(times.longestRetryMs, times.retryMs * 2 ** Math.min(tries, 20))
      await sleep(clock, waitMs * (0.5 + random.unit()), signal)
    }
  }

  const end = (): void => {
    run?.stop.abort()
    run = undefined
    outcome = undefined
    noted = undefined
    for (const { link } of reached.values()) void link.close()
    reached.clear()
  }

  return {
    begin: () => {
      if (run !== undefined) return
      const stop = new AbortController()
      run = { stop, done: loop(stop.signal) }
    },
    end,
    stop: async () => {
      const done = run?.done
      end()
      await done
    },
    state: () => {
      if (outcome?.kind === 'repaired') return { kind: 'repaired', forMs: clock.monotonicMs() - outcome.atMs }
      return outcome ?? { kind: 'waiting' }
    },
    ask: async ({ tenant, digest, offset }, signal) => {
      const none = outcome?.kind === 'none' ? `no sibling reachable (${outcome.reason})` : 'no sibling was asked yet'
      // Who is not reached yet is the loop's to reach: a blob does not dial on its own.
      if (run === undefined || reached.size === 0)
        throw new SkerryError('parent-unreachable', `no parent is linked and ${none}`)
      let refusal: unknown
      for (const { link, nonce } of [...reached.values()])
        try {
          const tag = blobTag({ nonce, tenant, digest }, powers.hash)
          return await ask(link, 'blob', { v: siblingFormat, tag, offset }, signal)
        } catch (error) {
          if (signal?.aborted) throw error
          refusal = error
        }
      throw refusal
    },
  }
}

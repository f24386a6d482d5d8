import type { Hash } from '../authority/index.ts'
import type { Envelope } from '../envelope/index.ts'
import { type LaneChangeResult, readLaneChange } from './automerge-codec.ts'
import { type CausalOptions, type CausalState, type ChangeNode, createCausalState } from './causal-state.ts'
import { type Exclusion, exclude } from './exclusion.ts'
import type { LaneKind } from './lane-name.ts'
import { createParking, type Parking } from './parking.ts'

/** What an envelope is among those held. */
export type EnvelopeStatus =
  | { readonly kind: 'valid' }
  | { readonly kind: 'parked'; readonly missing: readonly string[] }
  | { readonly kind: 'excluded'; readonly exclusion: Exclusion }

/** What became of an envelope that was handed in. */
export type Received =
  | { readonly kind: 'known' | 'dropped' }
  | { readonly kind: 'held'; readonly status: EnvelopeStatus }

/** Envelopes of one actor with one seq and different hashes: whoever holds them can prove it. */
export interface Equivocation {
  readonly actor: string
  readonly seq: number
  /** The key that signed them. */
  readonly author: string
  /** Hashes of the envelopes, sorted. */
  readonly envelopes: readonly string[]
}

interface Held {
  readonly envelope: Envelope
  readonly result: LaneChangeResult
  status: EnvelopeStatus
  node: ChangeNode | undefined
}

export interface GraphOptions extends CausalOptions {
  readonly kind: LaneKind
  readonly hash: Hash
  /** @default room of its own */
  readonly parking?: Parking
}

const slotOf = ({ actor, seq }: Pick<Envelope, 'actor' | 'seq'>) => `${actor}/${seq}`
const byHash = (a: Held, b: Held) => (a.envelope.hash < b.envelope.hash ? -1 : 1)
const parked: EnvelopeStatus = { kind: 'parked', missing: [] }
const excluded = (exclusion: Exclusion): EnvelopeStatus => ({ kind: 'excluded', exclusion })

const twice = exclude('equivocation', 'the author signed two changes with one number: neither counts')
const unsound = exclude('dependency', 'the change stands on one that does not count')

/**
 * The envelopes held of one epoch and what each is worth. Every answer is a function of the set held: what arrives
 * earlier, later or twice makes no difference (lane-graph.test.ts). Takes opened envelopes only: who may write is
 * `openEnvelope`'s to judge.
 */
export const createLaneGraph = (options: GraphOptions) => {
  const { kind, hash, parking = createParking() } = options
  const held = new Map<string, Held>()
  const slots = new Map<string, Held[]>()
  const changes = new Map<string, Held[]>()
  const waiting = new Map<string, Set<Held>>()
  let state: CausalState = createCausalState(options)
  /** Read and not held: an author has each change judged and then added, and reading is what costs. */
  let judged: Held | undefined

  const changeHashOf = ({ result }: Held) => (result.ok ? result.change.header.hash : undefined)

  const lookUp = (change: string): { worth: EnvelopeStatus['kind'] | 'absent'; node?: ChangeNode } => {
    const base = state.base()
    if (base?.change.header.hash === change) return { worth: 'valid', node: base }
    const found = changes.get(change) ?? []
    const node = found.find((one) => one.node !== undefined)?.node
    if (node !== undefined) return { worth: 'valid', node }
    if (found.length === 0) return { worth: 'absent' }
    return { worth: found.some(({ status }) => status.kind === 'excluded') ? 'excluded' : 'parked' }
  }

  /** The worth of one envelope by that of its dependencies. `node` dependencies are there exactly when it may count. */
  const judge = (one: Held): { status: EnvelopeStatus; deps: readonly ChangeNode[] } => {
    const fall = (exclusion: Exclusion) => ({ status: excluded(exclusion), deps: [] })
    if ((slots.get(slotOf(one.envelope)) ?? []).some((other) => other.envelope.hash !== one.envelope.hash))
      return fall(twice)
    if (!one.result.ok) return fall(one.result.exclusion)
    const { change } = one.result
    const deps = change.header.deps.map((dep) => ({ dep, ...lookUp(dep) }))
    if (deps.some(({ worth }) => worth === 'excluded')) return fall(unsound)
    const missing = deps.filter(({ worth }) => worth !== 'valid').map(({ dep }) => dep)
    if (missing.length > 0) return { status: { kind: 'parked', missing: missing.toSorted() }, deps: [] }
    const nodes = deps.flatMap(({ node }) => node ?? [])
    const exclusion = state.judge(change, nodes)
    return exclusion === undefined ? { status: { kind: 'valid' }, deps: nodes } : fall(exclusion)
  }

  const wait = (one: Held) => {
    for (const dep of one.result.ok ? one.result.change.header.deps : []) {
      const others = waiting.get(dep) ?? new Set()
      waiting.set(dep, others.add(one))
    }
  }

  /** Judges `first` and, one after another, all that waited for what was decided. */
  const settle = (first: Held) => {
    const open = [first]
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (one.status.kind !== 'parked') continue
      const { status, deps } = judge(one)
      one.status = status
      if (status.kind === 'parked') {
        wait(one)
        continue
      }
      if (status.kind === 'valid' && one.result.ok) {
        one.node = state.append(one.envelope.hash, one.result.change, deps)
        parking.release(one.envelope.author, one.envelope.hash)
      }
      const change = changeHashOf(one)
      const next = change === undefined ? undefined : waiting.get(change)
      if (change !== undefined) waiting.delete(change)
      open.push(...(next ?? []))
    }
  }

  /** From nothing, in an order of their own: what counted before may no longer. */
  const rebuild = () => {
    state = createCausalState(options)
    waiting.clear()
    const all = [...held.values()].toSorted(byHash)
    for (const one of all) {
      one.status = parked
      one.node = undefined
    }
    for (const one of all) settle(one)
  }

  const hold = (one: Held) => {
    held.set(one.envelope.hash, one)
    slots.set(slotOf(one.envelope), [...(slots.get(slotOf(one.envelope)) ?? []), one])
    const change = changeHashOf(one)
    if (change !== undefined) changes.set(change, [...(changes.get(change) ?? []), one])
  }

  const heldOf = (envelope: Envelope): Held => ({
    envelope,
    result: readLaneChange(envelope, kind, hash),
    status: parked,
    node: undefined,
  })

  const add = (envelope: Envelope): Received => {
    if (held.has(envelope.hash)) return { kind: 'known' }
    const one = judged?.envelope === envelope ? judged : heldOf(envelope)
    judged = undefined
    const rivals = slots.get(slotOf(envelope)) ?? []
    // The second of one number completes a proof: it is always kept. A third proves nothing more.
    const isProof = rivals.length === 1
    const isUseful = !isProof && judge(one).status.kind === 'valid'
    if (!isProof && !isUseful && !parking.take(envelope.author, envelope.hash, envelope.bytes.length))
      return { kind: 'dropped' }
    hold(one)
    if (rivals.length > 0) rebuild()
    else settle(one)
    return { kind: 'held', status: one.status }
  }

  return {
    add,
    /** What `add` would say, without keeping anything. */
    judge: (envelope: Envelope): EnvelopeStatus => {
      judged = heldOf(envelope)
      return judge(judged).status
    },
    /** The causal state of what is valid; another one after an equivocation came to light. */
    state: (): CausalState => state,
    /** Gives back the room taken: for a replica that is dropped from memory. */
    leave: () => {
      for (const { envelope } of held.values()) parking.release(envelope.author, envelope.hash)
    },
    has: (envelopeHash: string): boolean => held.has(envelopeHash),
    /** Id of the key that signs as an actor; undefined when nothing of it is held. */
    authorOf: (actor: string): string | undefined => {
      for (const { envelope } of held.values()) if (envelope.actor === actor) return envelope.author
      return undefined
    },
    /** The change of an envelope that is held. @throws {RangeError} when it is not */
    changeOf: (envelopeHash: string): Uint8Array => {
      const one = held.get(envelopeHash)
      if (one === undefined) throw new RangeError(`no envelope ${envelopeHash} is held`)
      return one.envelope.change
    },
    /** Valid envelopes, each after what it stands on: by depth, then hash. */
    valid: (): readonly Envelope[] =>
      [...held.values()]
        .filter(({ node }) => node !== undefined)
        .toSorted((a, b) => (a.node?.depth ?? 0) - (b.node?.depth ?? 0) || byHash(a, b))
        .map(({ envelope }) => envelope),
    /** All envelopes held that do not count, with why, by hash. */
    unused: (): readonly { readonly envelope: Envelope; readonly status: EnvelopeStatus }[] =>
      [...held.values()].filter(({ node }) => node === undefined).toSorted(byHash),
    equivocations: (): readonly Equivocation[] =>
      [...slots.values()]
        .flatMap((slot) => {
          const { actor, seq, author } = slot[0]?.envelope ?? { actor: '', seq: 0, author: '' }
          if (slot.length < 2) return []
          return [{ actor, seq, author, envelopes: slot.map(({ envelope }) => envelope.hash).toSorted() }]
        })
        .toSorted((a, b) => ((a.envelopes[0] ?? '') < (b.envelopes[0] ?? '') ? -1 : 1)),
  }
}

export type LaneGraph = ReturnType<typeof createLaneGraph>

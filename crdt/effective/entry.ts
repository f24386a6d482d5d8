import { canonicalJson } from '../../base/index.ts'
import { type Fence, type Hash, toHex } from '../authority/index.ts'

/** What a lane holds for one application: one choice, and how far it is rolled out (docs/adr/0017-entries.md). */
export interface Entry {
  /** 32 hexadecimal digits: the id of the choice, kept while its step and share change. */
  readonly decision: string
  /** 64 hexadecimal digits: the deployment version that is to run; null exactly when the application is retired. */
  readonly version: string | null
  /** The rollout's step, 0 and up. */
  readonly step: number
  /** Always null in this format. */
  readonly share: null
  readonly fence: Fence
  /** Decisions this one replaces, in other lanes or its own; sorted, each once. */
  readonly seen: readonly string[]
  /** The only thing that stops a container. */
  readonly retired: boolean
  /**
   * In a scope's own lane: the decision is that of a scope above, taken over as it is. What replaces it there replaces it
   * here too, so that a scope which settled for the word from above goes on to follow it. @default false
   */
  readonly follows?: boolean
}

/** An entry with the text it was read from. */
export interface ReadEntry extends Entry {
  /** 64 hexadecimal digits: SHA-256 of the text. Orders candidates that nothing else orders. */
  readonly hash: string
}

export const entryFormat = 1
export const entryLimits = {
  /** Of the text in UTF-8, in bytes (DESIGN.md section 3, rule 3). */
  textBytes: 16 * 1024,
  seen: 256,
  step: 1_000_000,
} as const

const decisionPattern = /^[0-9a-f]{32}$/
const versionPattern = /^[0-9a-f]{64}$/
export const isDecision = (text: unknown): text is string => typeof text === 'string' && decisionPattern.test(text)

const isCount = (value: unknown, lowest: number, highest: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= lowest && (value as number) <= highest

/** Why a text is no entry. `newer-format` may be one for a newer program; `bad-entry` is one for nobody. */
export interface EntryRefusal {
  readonly code: 'bad-entry' | 'newer-format'
  readonly message: string
}
export type EntryResult =
  | { readonly ok: true; readonly entry: ReadEntry }
  | { readonly ok: false; readonly refusal: EntryRefusal }

const refuse = (code: EntryRefusal['code'], message: string): EntryResult => ({ ok: false, refusal: { code, message } })

const isSortedOnce = (items: readonly string[]) => items.every((item, at) => at === 0 || (items[at - 1] ?? '') < item)

/** The first field of a known format that does not hold; undefined when all do. */
const problemOf = (raw: Readonly<Record<string, unknown>>): string | undefined => {
  const { decision, version, step, fence, seen, retired } = raw
  if (!isDecision(decision)) return 'decision is not 32 hexadecimal digits'
  if (retired !== undefined && retired !== true) return 'retired is true or absent'
  if (raw.follows !== undefined && raw.follows !== true) return 'follows is true or absent'
  if (retired === true ? version !== null : !(typeof version === 'string' && versionPattern.test(version)))
    return 'version is 64 hexadecimal digits, or null when the application is retired'
  if (!isCount(step, 0, entryLimits.step)) return 'step is not a count'
  if (!Array.isArray(fence) || fence.length !== 2 || !isCount(fence[0], 1, 2 ** 32 - 1))
    return 'fence has no generation'
  if (!isCount(fence[1], 1, Number.MAX_SAFE_INTEGER)) return 'fence has no count'
  if (!Array.isArray(seen) || seen.length > entryLimits.seen || !seen.every(isDecision) || !isSortedOnce(seen))
    return `seen is not a sorted list of at most ${entryLimits.seen} decisions`
  if (seen.includes(decision)) return 'an entry does not replace itself'
  return undefined
}

const known = new Set(['_v', 'decision', 'version', 'step', 'share', 'fence', 'seen', 'retired', 'follows'])

const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const raw: unknown = JSON.parse(text)
    const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw)
    return isObject && canonicalJson(raw) === text ? (raw as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

/**
 * Reads an entry of format 1. Keys it does not know are kept in the text and ignored when they hold a scalar.
 * A share is not null only in rollouts of a later format: running it as if it had none could start too much.
 */
export const parseEntry = (text: string, hash: Hash): EntryResult => {
  if (text.length > entryLimits.textBytes || Buffer.byteLength(text) > entryLimits.textBytes)
    return refuse('bad-entry', `an entry is longer than ${entryLimits.textBytes} bytes`)
  const raw = parseObject(text)
  if (raw === undefined) return refuse('bad-entry', 'an entry is not one object of canonical JSON')
  if (isCount(raw._v, entryFormat + 1, Number.MAX_SAFE_INTEGER))
    return refuse('newer-format', `an entry has format ${raw._v}: update this node to read it`)
  if (raw._v !== entryFormat) return refuse('bad-entry', 'an entry does not begin with its format')
  if (raw.share !== null) return refuse('newer-format', 'an entry has a share: update this node to read it')
  const problem = problemOf(raw)
  if (problem !== undefined) return refuse('bad-entry', problem)
  const odd = Object.keys(raw).find((key) => !known.has(key) && typeof raw[key] === 'object' && raw[key] !== null)
  if (odd !== undefined) return refuse('bad-entry', 'an unknown key of an entry holds more than a scalar')
  const [generation, n] = raw.fence as [number, number]
  const entry = {
    decision: raw.decision as string,
    version: raw.version as string | null,
    step: raw.step as number,
    share: null,
    fence: { generation, n },
    seen: raw.seen as readonly string[],
    retired: raw.retired === true,
    ...(raw.follows === true && { follows: true }),
    hash: toHex(hash.sha256(Buffer.from(text))),
  }
  return { ok: true, entry }
}

/**
 * The one text of an entry. Its version is its first key: `_` comes before every letter.
 * @throws {RangeError} when a field is outside the format, so that nothing is signed that a peer would refuse
 */
export const formatEntry = (entry: Entry): string => {
  const { decision, version, step, share, fence, retired } = entry
  const raw = {
    _v: entryFormat,
    decision,
    version,
    step,
    share,
    fence: [fence.generation, fence.n],
    seen: [...new Set(entry.seen)].toSorted(),
    ...(retired ? { retired: true } : {}),
    ...(entry.follows ? { follows: true } : {}),
  }
  const problem = problemOf(raw)
  if (problem !== undefined) throw new RangeError(`cannot write an entry: ${problem}`)
  return canonicalJson(raw)
}

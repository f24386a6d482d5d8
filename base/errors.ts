/** What a person sees of a refusal: what was wrong, where, what to do. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * The root of every error the program raises on purpose. `code` is stable and kebab-case; `message` names the
 * operation and the object, and what to do next where a person can do something.
 */
export class SkerryError extends Error {
  static override readonly name: string = 'SkerryError'
  readonly code: string
  readonly details: ErrorDetails

  constructor(code: string, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
  }
}

/** One thing wrong with what a person handed in. */
export interface Problem {
  /** The file or document, as the person named it. */
  readonly source: string
  /** 1-based line in the source, where it is known. */
  readonly line?: number
  /** The path of the field, like `services[0].containers[0].image`; empty for the whole document. */
  readonly field: string
  /** What is wrong, in words. */
  readonly message: string
  /** What to write instead, where that can be said. */
  readonly suggestion?: string
}

/** One line for a person: `topology.yaml:7: zones[0].policy: unknown field "lgos"; did you mean "logs"?` */
export const describeProblem = ({ source, line, field, message, suggestion }: Problem): string =>
  `${source}${line === undefined ? '' : `:${line}`}: ${field === '' ? '' : `${field}: `}${message}${
    suggestion === undefined ? '' : `; ${suggestion}`
  }`

/** Thrown when input is refused; nothing was changed. Carries every problem found, in source order. */
export class InvalidInputError extends SkerryError {
  static override readonly name = 'InvalidInputError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], code = 'invalid-input') {
    super(code, problems.map(describeProblem).join('\n'), { details: { problems } })
    this.problems = problems
  }
}

/** The text of anything thrown, for a log line or a report. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Crashes when an invariant does not hold: a bug of ours, never of the input. */
export function assert(holds: unknown, invariant: string): asserts holds {
  if (!holds) throw new SkerryError('broken-invariant', `broken invariant: ${invariant}`)
}

/** The name of `known` nearest to `given` (edit distance at most 3 and under half its length), for a suggestion. */
export const nearestName = (given: string, known: readonly string[]): string | undefined => {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, column) => column)
    for (let i = 1; i <= a.length; i++) {
      const next = [i]
      for (let j = 1; j <= b.length; j++) {
        const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
        next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap))
      }
      row = next
    }
    return row[b.length] ?? 0
  }
  const best = known
    .map((name) => ({ name, far: distance(given, name) }))
    .toSorted((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))[0]
  return best && best.far <= Math.min(3, Math.max(1, given.length / 2)) ? best.name : undefined
}

/** How to go on from a name that is not known: `did you mean shop?`, or what there is instead. */
export const nameHint = (given: string, known: readonly string[]): string => {
  const near = nearestName(given, known)
  if (near !== undefined) return `did you mean ${near}?`
  return known.length === 0
    ? 'there is none yet'
    : `there is ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`
}

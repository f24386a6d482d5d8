import { describeProblem, InvalidInputError, SkerryError } from '../../base/index.ts'

/** The error body of the public interface. */
export interface ErrorBody {
  readonly errors: readonly ErrorEntry[]
}

export interface ErrorEntry {
  readonly 'error-message': string
  readonly 'error-info'?: Readonly<Record<string, unknown>>
}

export interface ProblemReport {
  readonly status: number
  readonly body: ErrorBody
}

/** HTTP status of each error code that a request may meet. What is not here is a bug of ours. */
const statuses = {
  400: [
    'ambiguous', 'bad-image', 'bad-request', 'exec-failed', 'image-missing', 'invalid-duration', 'invalid-id',
    'invalid-input', 'invalid-size', 'name-mismatch', 'needs-containerd', 'not-supported',
  ],
  401: ['unauthenticated'],
  403: ['beyond-border', 'forbidden', 'no-delegation'],
  404: ['no-topology', 'not-found', 'not-held', 'unknown-zone', 'version-unknown', 'wrong-site'],
  405: ['method-not-allowed'],
  408: ['request-timeout'],
  409: [
    'already-deployed', 'already-enrolled', 'already-exists', 'blocked', 'conflict', 'image-not-held', 'in-use',
    'no-previous-version', 'not-blocked', 'not-running', 'port-taken', 'read-only-here', 'start-failed',
    'still-deployed', 'version-exists', 'version-required',
  ],
  412: ['precondition-failed'],
  413: ['body-too-large', 'too-large'],
  415: ['unsupported-media-type'],
  503: [
    'busy', 'damaged', 'disk-full', 'engine-unavailable', 'link-down', 'link-lost', 'network-failed', 'not-ready',
    'parent-unreachable', 'site-unreachable', 'stopping', 'stream-aborted', 'stream-closed', 'unavailable', 'unreachable',
    'write-failed',
  ],
  504: ['timeout'],
} as const // biome-ignore format: a table

const statusByCode: ReadonlyMap<string, number> = new Map(
  Object.entries(statuses).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
)

/** HTTP status of a SkerryError's code; undefined for a code that no request should meet. */
export const statusOfCode = (code: string): number | undefined => statusByCode.get(code)

/** A refusal made by the API itself. */
export const refusal = (code: string, message: string, details: Readonly<Record<string, unknown>> = {}): SkerryError =>
  new SkerryError(code, message, { details })

const isPlain = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value)

/** Only plain values leave: details may hold anything, and a path or stack of ours is nobody's business. */
const infoOf = (error: SkerryError): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(Object.entries(error.details).filter(([, value]) => isPlain(value))),
  code: error.code,
})

/**
 * What a client is told of anything thrown while its request was served. An unexpected error is told as such, without
 * its text; the caller logs it.
 */
export const reportProblem = (error: unknown): ProblemReport => {
  const status = error instanceof SkerryError ? statusOfCode(error.code) : undefined
  if (error instanceof InvalidInputError)
    return {
      status: status ?? 400,
      body: {
        errors: error.problems.map((problem) => ({
          'error-message': describeProblem(problem),
          'error-info': { code: error.code, ...problem },
        })),
      },
    }
  if (error instanceof SkerryError && status !== undefined)
    return { status, body: { errors: [{ 'error-message': error.message, 'error-info': infoOf(error) }] } }
  return {
    status: 500,
    body: {
      errors: [
        {
          'error-message': 'the node met an error of its own: see its log',
          'error-info': { code: 'internal' },
        },
      ],
    },
  }
}

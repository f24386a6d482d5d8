import { InvalidInputError, SkerryError } from '../../base/index.ts'
import type { ErrorBody } from '../api/index.ts'

/** What the program ends with. */
export const exitCodes = { ok: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130 } as const

/** The node's answer was an error. */
export class ApiRefusedError extends SkerryError {
  static override readonly name = 'ApiRefusedError'
  readonly status: number
  readonly body: ErrorBody

  constructor(what: string, status: number, body: ErrorBody) {
    super('refused', `${what} was refused: ${body.errors.map((entry) => entry['error-message']).join('\n')}`)
    this.status = status
    this.body = body
  }

  /** The same refusal, told of a file the person named. */
  of(file: string): ApiRefusedError {
    const errors = this.body.errors.map((entry) => ({
      ...entry,
      'error-message': `${file}: ${entry['error-message']}`,
    }))
    return new ApiRefusedError(file, this.status, { errors })
  }
}

/** A command line that means nothing, found by a command itself. */
export const usageError = (message: string): SkerryError => new SkerryError('usage', message)

/** The node cannot be talked to. */
export const unreachable = (message: string, cause?: unknown): SkerryError =>
  new SkerryError('node-unreachable', message, { cause })

/** What a person, or a program, is told of anything thrown. */
export interface Failure {
  readonly exitCode: number
  /** Lines: what, where, what to do. */
  readonly text: string
  readonly body: ErrorBody
}

const codeOf = (error: unknown): string => (error instanceof SkerryError ? error.code : 'internal')

const exitOf = (code: string): number =>
  code === 'usage' ? exitCodes.usage : code === 'node-unreachable' ? exitCodes.unreachable : exitCodes.refused

/** Says what failed. Anything that is no error of ours is a bug, and is said to be one. */
export const describeFailure = (error: unknown): Failure => {
  if (error instanceof ApiRefusedError)
    return {
      exitCode: exitCodes.refused,
      text: error.body.errors.map((entry) => `error: ${entry['error-message']}`).join('\n'),
      body: error.body,
    }
  if (error instanceof InvalidInputError)
    return {
      exitCode: exitCodes.refused,
      text: error.message.replaceAll(/^/gm, 'error: '),
      body: {
        errors: error.problems.map((problem) => ({
          'error-message': problem.message,
          'error-info': { code: error.code, ...problem },
        })),
      },
    }
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const text = code === 'internal' ? `a fault of skerry itself: ${message}` : message
  return {
    exitCode: exitOf(code),
    text: `error: ${text}`,
    body: { errors: [{ 'error-message': text, 'error-info': { code } }] },
  }
}

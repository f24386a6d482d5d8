import { SkerryError } from '../base/index.ts'

/** Does something, and gives its refusals the codes the API knows; what `codes` does not name passes as it is. */
export const inApiCodes =
  (codes: Readonly<Record<string, string>>) =>
  async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (error) {
      const code = error instanceof SkerryError ? codes[error.code] : undefined
      if (code === undefined || !(error instanceof SkerryError)) throw error
      throw new SkerryError(code, error.message, { cause: error })
    }
  }

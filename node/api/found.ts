import { nameHint } from '../../base/index.ts'
import { refusal } from './problem-report.ts'

/**
 * What was asked for by name.
 * @param known the names there are; asked only when nothing was found
 * @throws {SkerryError} `not-found` with the nearest name, or what there is
 */
export const found = async <Value>(
  value: Value | undefined,
  kind: string,
  name: string,
  known: () => Promise<readonly string[]>,
): Promise<Value> => {
  if (value !== undefined) return value
  throw refusal('not-found', `there is no ${kind} ${name}; ${nameHint(name, await known())}`)
}

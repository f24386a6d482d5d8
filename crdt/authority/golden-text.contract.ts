import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

/**
 * Asserts that `text` is what the file under golden/ holds. With GOLDEN=write in the environment the file is written
 * instead: read the difference before you keep it.
 */
export const matchesGolden = (t: ExecutionContext, name: string, text: string): void => {
  const path = fileURLToPath(new URL(`golden/${name}`, import.meta.url))
  if (process.env.GOLDEN === 'write') writeFileSync(path, `${text}\n`)
  t.true(existsSync(path), `no golden text ${name}: run with GOLDEN=write`)
  t.is(`${text}\n`, readFileSync(path, 'utf8'))
}

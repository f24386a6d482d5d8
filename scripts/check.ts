/** The quick half of `npm test`: format, lint, types, dead code. */
import { runChecks } from './run-checks.ts'

const results = await runChecks()
const failed = results.filter(({ ok }) => !ok).length
console.log(failed === 0 ? 'all checks passed' : `${failed} of ${results.length} checks failed`)
process.exitCode = failed === 0 ? 0 : 1

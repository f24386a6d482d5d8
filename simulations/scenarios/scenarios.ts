import type { Scenario } from './scenario.ts'
import { twentyNodes } from './twenty-nodes.ts'

/** Every scenario, by name on the command line. */
export const scenarios: readonly Scenario[] = [twentyNodes]

import type { ChangeRefusal } from '../envelope/index.ts'
import type { SchemaRefusal } from './lane-schema.ts'

/**
 * Why an envelope that a writer signed does not count. A function of the envelopes held, never of their order; the
 * envelope is kept and listed.
 */
export interface Exclusion {
  readonly code:
    | ChangeRefusal['code']
    | SchemaRefusal['code']
    | 'undecodable'
    | 'equivocation'
    | 'dependency'
    | 'broken-line'
    | 'bad-predecessors'
    | 'bad-fence'
  readonly message: string
}

export const exclude = (code: Exclusion['code'], message: string): Exclusion => ({ code, message })

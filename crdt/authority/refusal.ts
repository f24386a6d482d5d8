/** Why a record, a key or an act is refused. `code` is stable; `message` names the thing and, where it helps, what to do. */
export interface Refusal {
  readonly code:
    | 'bad-length'
    | 'newer-format'
    | 'bad-record'
    | 'wrong-network'
    | 'not-enough-signatures'
    | 'broken-succession'
    | 'stale'
    | 'rival'
    | 'unknown-issuer'
    | 'unknown-generation'
    | 'out-of-scope'
    | 'superseded'
    | 'blocked'
    | 'expired'
    | 'not-yet-valid'
    | 'no-capability'
    | 'not-entitled'
    | 'closed'
    | 'wrong-version'
    | 'not-for-this-key'
  readonly message: string
}

export interface Refused {
  readonly ok: false
  readonly refusal: Refusal
}

export const refuse = (code: Refusal['code'], message: string): Refused => ({ ok: false, refusal: { code, message } })

/** Why a change is kept away from Automerge. `code` is stable; `message` is for a person. */
export interface ChangeRefusal {
  readonly code:
    | 'not-a-change'
    | 'change-too-large'
    | 'bad-inflate'
    | 'bad-checksum'
    | 'malformed'
    | 'too-many-operations'
    | 'too-many-dependencies'
    | 'too-many-actors'
    | 'too-many-predecessors'
    | 'bad-start-op'
    | 'bad-sequence'
    | 'unsupported-shape'
    | 'key-too-long'
    | 'value-too-large'
    | 'wrong-actor'
    | 'wrong-sequence'
  readonly message: string
}

/** Ends a scan from any depth. Never leaves this folder: `scanChange` turns it into a refusal. */
export class ChangeRefused extends Error {
  static override readonly name = 'ChangeRefused'
  readonly refusal: ChangeRefusal

  constructor(code: ChangeRefusal['code'], message: string) {
    super(message)
    this.refusal = { code, message }
  }
}

export const malformed = (what: string): ChangeRefused =>
  new ChangeRefused('malformed', `the change is malformed: ${what}`)

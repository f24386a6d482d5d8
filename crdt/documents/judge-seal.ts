import type { Envelope } from '../envelope/index.ts'
import { type Epoch, formatLaneName, type LaneState, type SealedState, stateAtCut } from '../lane/index.ts'
import type { Desk } from './lane-desk.ts'
import type { StoredLate } from './late-changes.ts'
import { readBaseText } from './live-lane.ts'
import type { StoredEpoch } from './stored-epochs.ts'

/** Why a later epoch is not begun here. */
export interface TurnRefusal {
  /**
   * `lacks-changes`: of the epoch before some of the cut is not here; the rest of it, or the base, lets it begin.
   * `needs-base`: the epoch before is not here. `wrong-state`: the seal is false. `superseded`: the one held goes before it.
   */
  readonly code: 'lacks-changes' | 'needs-base' | 'wrong-state' | 'superseded' | 'bad-cut' | 'newer-format'
  readonly message: string
}

/** What a new epoch begins with. */
export interface BegunEpoch {
  /** Undefined in a first epoch. */
  readonly state: LaneState | undefined
  /** The epoch it was held against and all its envelopes, late ones too; undefined when it was taken with its base. */
  readonly anchor: { readonly epoch: Epoch; readonly envelopes: readonly Envelope[] } | undefined
  /** What the epoch before comes to at the cut, as far as it is here. */
  readonly sealed: SealedState | undefined
}

const refuse = (code: TurnRefusal['code'], message: string): TurnRefusal => ({ code, message })

const uniqueByHash = (envelopes: readonly Envelope[]): readonly Envelope[] => [
  ...new Map(envelopes.map((envelope) => [envelope.hash, envelope])).values(),
]

const judgeByChanges = async (
  { powers }: Desk,
  { base: cut }: Epoch,
  anchor: StoredEpoch,
  late: readonly StoredLate[],
): Promise<{ readonly sealed: SealedState; readonly envelopes: readonly Envelope[] } | undefined> => {
  const { epoch } = anchor
  const base = await anchor.base()
  if (cut === null || (base === undefined && epoch.base !== null)) return undefined
  const ofEpoch = late.flatMap(({ envelope }) => (envelope.epoch === epoch.epoch ? envelope : []))
  // One may lie in both places: late elsewhere, and brought here in its epoch after that was told.
  const envelopes = uniqueByHash([...(await anchor.envelopes()), ...ofEpoch])
  return { sealed: stateAtCut({ epoch, base }, envelopes, cut.heads, powers), envelopes }
}

/**
 * Holds a seal against the epoch before. Where that is not here, or not whole, the base that came with the genesis has to be
 * the one it names: then the owner's signature alone says that it is true.
 */
export const judgeSeal = async (
  desk: Desk,
  next: Epoch,
  stored: readonly StoredEpoch[],
  late: readonly StoredLate[],
  text: Uint8Array | undefined,
): Promise<BegunEpoch | TurnRefusal> => {
  if (next.base === null) return { state: undefined, anchor: undefined, sealed: undefined }
  const named = next.base.state
  const anchor = stored.find(({ epoch }) => epoch.id === next.base?.genesis && epoch.epoch === next.epoch - 1)
  const judged = anchor && (await judgeByChanges(desk, next, anchor, late))
  const sealed = judged?.sealed
  if (sealed?.ok && !desk.guards.isState(named, sealed.hash))
    return refuse('wrong-state', `the seal of ${formatLaneName(next.lane)} is not what its changes come to`)
  if (sealed?.ok && anchor !== undefined)
    return { state: sealed.state, anchor: { epoch: anchor.epoch, envelopes: judged?.envelopes ?? [] }, sealed }
  if (sealed?.ok === false && sealed.code !== 'lacks-changes') return refuse(sealed.code, sealed.message)
  if (text === undefined)
    return sealed?.ok === false
      ? refuse('lacks-changes', sealed.message)
      : refuse('needs-base', `the epoch before epoch ${next.epoch} of ${formatLaneName(next.lane)} is not here`)
  const state = readBaseText(next, text, desk.powers, desk.guards)
  return state === undefined
    ? refuse('wrong-state', `what came as the base of ${formatLaneName(next.lane)} is not what its genesis names`)
    : { state, anchor: undefined, sealed }
}

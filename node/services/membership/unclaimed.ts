import type { KeyId } from '../../../crdt/index.ts'
import type { MemberRole } from './membership.ts'

/** Someone who called and is no member. */
export interface Caller {
  readonly state: 'waiting' | 'duplicate'
  /** Its raw public key, 64 hexadecimal digits. */
  readonly key: string
  readonly keyId: KeyId
  readonly hostId: string
  /** What it says it is called; may be empty. */
  readonly name: string
  /** What it was set up as. */
  readonly role: MemberRole
  readonly scope: string
  readonly address: string | undefined
  /** The expected host its host-id fits. */
  readonly match: string | undefined
  /** Of its last call, on the monotonic clock. */
  readonly calledMs: number
}

export const unclaimedLimits = {
  /** Callers in all. */
  callers: 1_000,
  /** Of those, callers with the host-id of one expected host. */
  perHost: 8,
} as const

/** Callers nobody said yes to, in memory alone: they call again. */
export interface Unclaimed {
  /** Puts a caller in, or its newer call in place of the last. */
  put(caller: Caller): void
  remove(key: string): void
  /** In the order of their last calls. */
  list(): readonly Caller[]
  /** Calls that pushed another out. */
  dropped(): number
}

/**
 * When there is no room, the caller that has been silent longest goes, those first whose host-id fits no expected host: a
 * flood of strangers pushes out strangers. Callers with one host-id have room of their own, and push out each other.
 */
export const createUnclaimed = (
  limits: { readonly callers: number; readonly perHost: number } = unclaimedLimits,
): Unclaimed => {
  const callers = new Map<string, Caller>()
  let dropped = 0
  const drop = (caller: Caller | undefined) => {
    if (caller !== undefined && callers.delete(caller.key)) dropped += 1
  }
  const makeRoom = (match: string | undefined) => {
    const all = [...callers.values()]
    const rivals = match === undefined ? [] : all.filter((caller) => caller.match === match)
    if (rivals.length >= limits.perHost) return drop(rivals[0])
    if (all.length >= limits.callers) drop(all.find((caller) => caller.match === undefined) ?? all[0])
  }
  return {
    put: (caller) => {
      if (!callers.delete(caller.key)) makeRoom(caller.match)
      callers.set(caller.key, caller)
    },
    remove: (key) => void callers.delete(key),
    list: () => [...callers.values()],
    dropped: () => dropped,
  }
}

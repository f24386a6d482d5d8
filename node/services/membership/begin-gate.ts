import type { Clock, Timer } from '../../../base/index.ts'
import type { Documents, Owner } from '../../../crdt/index.ts'
import type { MemberRegister } from './member-register.ts'
import type { Self } from './membership.ts'
import { ownLaneOf } from './own-lane.ts'

/** An aggregator that is not alone begins lanes that it does not know once it met another one, or after so long, in milliseconds. */
export const aloneAfterMs = 10_000

/** Whether this node may give out ids for what is below: another aggregator of the zone may have done so. */
export interface BeginGate {
  mayBegin(owner: Owner): boolean
  /** Says so once it has waited for long enough. */
  wait(): void
  /** Resolves when that may have changed. */
  changed(): Promise<void>
  /** Another one was met, and all that it holds of the zone is here. */
  met(): void
  stop(): void
}

export const createBeginGate = (
  { self, documents, clock }: { readonly self: Self; readonly documents: Documents; readonly clock: Clock },
  register: MemberRegister,
  onWaited: () => void,
): BeginGate => {
  let timer: Timer | undefined
  let hasWaited = false
  let hasMet = false
  let next = Promise.withResolvers<void>()
  const tell = () => {
    next.resolve()
    next = Promise.withResolvers()
  }
  return {
    changed: () => next.promise,
    mayBegin: ({ keys }) => {
      if (self.role !== 'aggregator' || keys.size === 1 || register.scopes().length > 0 || hasWaited) return true
      // Of several that hold nothing one goes first.
      const isFirst = [...keys.keys()].every((key) => self.signer.keyId <= key)
      return hasMet && (isFirst || documents.idOf(ownLaneOf(self.scope)) !== undefined)
    },
    wait: () => {
      timer ??= clock.setTimer(aloneAfterMs, () => {
        hasWaited = true
        tell()
        onWaited()
      })
    },
    met: () => {
      hasMet = true
      tell()
    },
    stop: () => {
      timer?.cancel()
      tell()
    },
  }
}

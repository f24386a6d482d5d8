import type { DiskWrite } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { createSiteProgress } from '../site-progress.ts'
import { readStateFile } from '../state-files.ts'

interface Choices {
  /** By signer and subject: the order number of the newest deployment version that was accepted. */
  readonly accepted: Readonly<Record<string, { readonly order: number; readonly id: string }>>
}

/**
 * Judges every start: an operator asked for that version, and not only before what the host ran since. And every host's
 * own record of what it accepted: the order numbers of one signer never fall, whoever brings an older one.
 */
export const noDowngrade: MakeChecker = ({ world, ledger }) => {
  const progress = createSiteProgress({ world, ledger })
  const orders = new Map<string, number>()
  const violations: string[] = []
  let seen = 0

  const judgeOrders = (machine: string, { bytes }: DiskWrite) => {
    for (const [signed, { order }] of Object.entries(readStateFile<Choices>(bytes)?.accepted ?? {})) {
      const key = `${machine} ${world.machine(machine).signer()?.keyId} ${signed}`
      const before = orders.get(key) ?? 0
      if (order < before) violations.push(`${machine} accepted order ${order} of a signer after order ${before}`)
      orders.set(key, order)
    }
  }
  return {
    invariant: 7,
    sentence: 'no downgrade without a signed entry that asks for it',
    observer: {
      act: (machine, act) => {
        if (act.kind !== 'start') return
        seen++
        const { content, isAsked } = progress.start(machine, act)
        const { owner } = act.container
        if (!isAsked)
          violations.push(
            `${machine} started ${owner.instance}/${owner.container} as ${content}, which nobody asked for since it ran something newer`,
          )
      },
      write: (machine, write) => {
        if (write.name === 'state/choices') judgeOrders(machine, write)
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}

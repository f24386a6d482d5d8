import { linked } from '../../world/index.ts'
import { applications } from '../specifications.ts'
import type { MakeMove } from './move.ts'

/** How old a backup is at least when it is put back, in milliseconds. */
const oldMs = 15_000
const lookEveryMs = 1_000

interface Backup {
  readonly atMs: number
  readonly putBack: () => void
  readonly blocked: readonly string[]
}

/**
 * The tower is stopped, its disk copied, and it is started again; some time later the disk breaks, and the copy is put
 * back. What operators were told meanwhile may be gone; what runs must not go back by itself.
 */
export const restoreTower: MakeMove = ({ scene: { world, ledger }, blocked, tower, acknowledge }) => {
  let backup: Backup | undefined
  let isBusy = false
  const machine = world.machines.find(({ place }) => place.role === 'tower')
  const isBack = async () => {
    while (!(machine && (await linked(machine)))) await world.sleep(lookEveryMs, 'operator waits')
    isBusy = false
  }
  return {
    begin: () => {
      if (isBusy || !machine?.isRunning() || !tower.free()) return false
      if (!backup) {
        isBusy = true
        machine.crash('kill')
        backup = { atMs: world.nowMs(), putBack: machine.disk.backup(), blocked: [...blocked] }
        world.note('operator makes a backup of the tower')
        machine.start()
        void isBack()
        return true
      }
      if (world.nowMs() < backup.atMs + oldMs) return false
      isBusy = true
      const { atMs, putBack, blocked: before } = backup
      machine.crash('power')
      putBack()
      ledger.forgetSince(atMs)
      for (const site of before) blocked.add(site)
      world.note(`operator restores the tower as it was at ${(atMs / 1000).toFixed(3)} s`)
      machine.start()
      void isBack().then(() => {
        world.note('the tower is back')
        tower.forget()
        acknowledge('restore-tower')
      })
      return true
    },
    // Operators have their files: they apply again what they applied last.
    settle: async () => {
      while (isBusy) await world.sleep(lookEveryMs, 'operator waits')
      for (const application of applications)
        while (!(await tower.putAgain(application))) await world.sleep(lookEveryMs, 'operator tries again')
    },
  }
}

import { linked } from '../../world/index.ts'
import { applications, type WorldApplication } from '../specifications.ts'
import type { MakeMove } from './move.ts'

/** How old a backup is at least when it is put back, in milliseconds. */
const oldMs = 15_000
const lookEveryMs = 1_000
/** What is taken runs everywhere within this time, in milliseconds. */
const takenWithinMs = 10_000
/** An operator gives up after so many versions that nobody takes. */
const mostVersions = 12

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
  /** Whether what was put last runs at its sites, once it had the time. */
  const isOut = async ({ name, containers }: WorldApplication): Promise<boolean> => {
    const changing = containers.filter(({ changes }) => changes).map((one) => one.name)
    const others = () =>
      world.machines
        .flatMap(({ host }) => host?.containers() ?? [])
        .filter(({ owner }) => owner.application === name && changing.includes(owner.container))
        .filter(({ owner }) => owner.version !== tower.current(name))
    for (let waitedMs = 0; waitedMs < takenWithinMs && others().length > 0; waitedMs += lookEveryMs)
      await world.sleep(lookEveryMs, 'operator waits')
    return others().length === 0
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
    // Operators have their files: they apply again what they applied last. Sites refuse it as long as its order number is
    // not above those they have seen; each further version counts one up.
    settle: async () => {
      while (isBusy) await world.sleep(lookEveryMs, 'operator waits')
      if (!backup) return
      for (const application of applications) {
        while (!(await tower.putAgain(application))) await world.sleep(lookEveryMs, 'operator tries again')
        for (let left = mostVersions; left > 0 && !(await isOut(application)); left--) {
          while (!tower.free()) await world.sleep(lookEveryMs, 'operator waits')
          tower.deploy('upgrade', application, String(tower.versions(application.name).length + 1))
        }
      }
    },
  }
}

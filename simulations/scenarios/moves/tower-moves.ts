import type { Random } from '../../../base/index.ts'
import { asked } from '../asked.ts'
import { applications, deploymentOf, type WorldApplication } from '../specifications.ts'
import type { MakeMove, Office } from './move.ts'

/** Begins with the first application, in an order of chance, of which `begin` says that it can. */
const withAny = (random: Random, begin: (application: WorldApplication) => boolean): boolean =>
  applications
    .map((application) => ({ application, order: random.unit() }))
    .toSorted((a, b) => a.order - b.order)
    .some(({ application }) => begin(application))

/** A move that is about one application at the tower. */
const atTower =
  (begin: (office: Office, application: WorldApplication) => boolean): MakeMove =>
  (office) => ({
    begin: (random) =>
      office.tower.free() !== undefined && withAny(random, (application) => begin(office, application)),
  })

export const deploy = atTower(({ tower }, application) => {
  if (tower.current(application.name) !== undefined) return false
  tower.deploy('deploy', application, tower.versions(application.name).at(-1) ?? '1')
  return true
})

export const upgrade = atTower(({ tower }, application) => {
  if (tower.current(application.name) === undefined) return false
  tower.deploy('upgrade', application, String(tower.versions(application.name).length + 1))
  return true
})

export const rollback = atTower(({ tower }, application) => {
  const node = tower.free()
  const versions = tower.versions(application.name)
  if (!node || tower.current(application.name) === undefined || !tower.canGoBack(application.name)) return false
  const wishes = versions.map((version) => tower.wish(application, version))
  void tower.change('rollback', application, wishes, async () => {
    const { 'to-version': version } = await node.services.operations.rollback(deploymentOf(application), asked)
    return tower.wish(application, version)
  })
  return true
})

export const remove = atTower(({ tower }, application) => {
  const node = tower.free()
  if (!node || tower.current(application.name) === undefined) return false
  void tower.change('remove', application, [tower.wish(application, undefined)], async () => {
    await node.services.config.remove('application-deployments', deploymentOf(application), {
      ...asked,
      effect: 'apply',
    })
    return undefined
  })
  return true
})

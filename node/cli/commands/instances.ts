import { SkerryError } from '../../../base/index.ts'
import type { ServiceInstanceView } from '../../api/index.ts'
import type { CliContext } from '../command.ts'
import { printable } from '../table.ts'

/** Which containers of an application are meant. */
export interface Selection {
  readonly application: string
  readonly service?: string | undefined
  readonly instance?: string | undefined
  readonly container?: string | undefined
  readonly site?: string | undefined
}

export interface Target {
  readonly site: string
  readonly instance: string
  readonly container: string
  readonly ready: boolean
}

/** The containers a selection means, sorted. An instance may be named in full or by its end, like `web-1`. */
export const selectTargets = (instances: readonly ServiceInstanceView[], chosen: Selection): readonly Target[] =>
  instances
    .filter(({ service }) => chosen.service === undefined || service === chosen.service)
    .filter(({ name }) => {
      const wanted = chosen.instance
      return wanted === undefined || name === wanted || name === `${chosen.application}.${wanted}`
    })
    .filter(({ site }) => chosen.site === undefined || site === chosen.site)
    .flatMap(({ site, name, containers, ready }) =>
      containers.map((container) => ({
        site,
        instance: name,
        container: container.name,
        ready: ready && container.ready,
      })),
    )
    .filter(({ container }) => chosen.container === undefined || container === chosen.container)
    .toSorted((a, b) => (targetText(a) < targetText(b) ? -1 : 1))

export const targetText = ({ site, instance, container }: Target): string => `${site}/${instance}/${container}`

/**
 * Asks the node for the containers a selection means.
 * @throws {SkerryError} `no-such-container` saying what there is
 */
export const findTargets = async (context: CliContext, chosen: Selection): Promise<readonly Target[]> => {
  const path = `/v1/state/applications/${encodeURIComponent(chosen.application)}/service-instances`
  const instances = await context.client().ask<ServiceInstanceView[]>('GET', path, { query: { site: chosen.site } })
  const targets = selectTargets(instances, chosen)
  if (targets.length > 0) return targets
  const { site, application } = chosen
  const all = selectTargets(instances, { application, site }).map((target) => printable(targetText(target)))
  const advice =
    all.length === 0
      ? `nothing of it is there yet: see "skerry explain ${application}${site === undefined ? '' : ` --site ${site}`}"`
      : `there are ${all.slice(0, 10).join(', ')}${all.length > 10 ? ', …' : ''}`
  throw new SkerryError('no-such-container', `no container of ${application} is meant by that; ${advice}`)
}

export const selectionOptions = [
  { flags: '--service <service>', text: 'only this service' },
  { flags: '--instance <instance>', text: 'only this instance, like shop.web-1 or web-1' },
  { flags: '--container <container>', text: 'only this container' },
  { flags: '--site <site>', text: 'only at this site' },
] as const

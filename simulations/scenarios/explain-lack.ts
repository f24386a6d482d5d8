import { errorText } from '../../base/index.ts'
import type { Machine, World } from '../world/index.ts'
import { asked } from './asked.ts'
import { applications } from './specifications.ts'

/** What an edge says of each application it knows: where it stopped and why, as `skerry explain` prints it. */
const saidBy = async (machine: Machine): Promise<readonly string[]> => {
  const { name, site } = machine.place
  const node = machine.node()
  const said: string[] = []
  for (const application of applications) {
    try {
      const told = await node?.services.state.explain(application.name, { ...asked, ...(site && { site }) })
      if (told && !told.ok)
        said.push(
          `${name} says of ${application.name}: ${told['stopped-at'] ?? 'unknown'}: ${told.reason ?? ''} ${told.advice ?? ''}`,
        )
    } catch (error) {
      said.push(`${name} says of ${application.name}: ${errorText(error)}`)
    }
  }
  return said
}

/** Who lacks what, and what each edge of a site that is named says it waits for. */
export const explainLack = async (world: World, lacking: readonly string[]): Promise<string> => {
  const down = world.machines.filter((one) => !one.node()).map(({ place }) => place.name)
  const concerned = world.machines.filter(
    ({ place }) =>
      place.role === 'edge' && lacking.some((text) => place.site !== undefined && text.includes(place.site)),
  )
  const said: string[] = []
  for (const machine of concerned) said.push(...(await world.settled(saidBy(machine))))
  return [
    ...lacking,
    `links: ${world.network.connections().toSorted().join(' ')}`,
    ...(down.length > 0 ? [`not up: ${down.join(' ')}`] : []),
    ...said,
  ].join('\n    ')
}

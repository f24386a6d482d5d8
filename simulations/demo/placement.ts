import type { DeploymentStateView, ExplainView, ImageView } from '../../node/index.ts'
import { cornerPlacement, cornerSpecification, shopArchive, shopPlacement } from './shop.ts'
import { applyShop, type DemoStep, file, must, settledSites } from './step.ts'
import type { World } from './world.ts'

/** Whether a second application has a container at a site, as its hosts themselves say: one never told knows no such. */
const hasCorner = async (world: World, site: string): Promise<boolean> => {
  const known = await Promise.all(
    world.hostsOf(site).map((host) => world.get<readonly { readonly name: string }[]>(host, '/v1/state/applications')),
  )
  if (!known.flat().some(({ name }) => name === 'corner')) return false
  return (await world.instances('corner', site)).length > 0
}

const cornersAt = async (world: World): Promise<readonly string[]> => {
  const found = await Promise.all(world.sites().map(async (site) => ((await hasCorner(world, site)) ? [site] : [])))
  return found.flat()
}

export const placement: DemoStep = {
  name: 'placement',
  brief: 'by labels; of a privacy zone only what it exports',
  proves:
    'an application goes to the sites whose labels match; of a zone that keeps its labels back a deployment of the tower sees only what the zone exports',
  run: async (world) => {
    const archive = file(world, 'shop-image.tar', await shopArchive())
    await applyShop(world, '1', { archive })
    const corner = file(world, 'corner.yaml', cornerSpecification(world.driver))
    await world.skerry(['apply', '-f', corner])
    const shops = await settledSites(world, '1', world.sites(), 60_000)
    await world.until('the corner shop to run at n2', 30_000, async () =>
      (await hasCorner(world, 'n2')) && (await world.instances('corner', 'n2')).every(({ ready }) => ready)
        ? true
        : undefined,
    )
    const corners = await cornersAt(world)
    must(corners.join() === 'n2', `the corner shop runs at ${corners.join(', ')} and not at n2 alone`)
    const tower = world.node('tower')
    const [deployment, images] = await Promise.all([
      world.get<DeploymentStateView>(tower, '/v1/state/application-deployments/shop-everywhere'),
      world.get<readonly ImageView[]>(tower, '/v1/state/images'),
    ])
    must(deployment.sites.join() === 'n1,n2', `the tower names ${deployment.sites.join()} as sites of the shop`)
    const notAtN1 = await world.get<ExplainView>(tower, '/v1/state/applications/corner/explain?site=n1')
    const stop = notAtN1.links.find(({ state }) => state === 'stopped')
    return {
      shop: {
        placement: shopPlacement,
        'instances-by-site': Object.fromEntries(
          Object.entries(shops).map(([site, found]) => [site, found.map(({ name, host }) => `${name} on ${host}`)]),
        ),
        'sites-as-the-tower-names-them': deployment.sites,
      },
      corner: {
        placement: cornerPlacement,
        at: corners,
        'not-at-n1': stop?.text,
        'not-at-s2': 's2 carries the label as n2 does, and south does not export it',
      },
      image: images[0]?.digest,
    }
  },
}

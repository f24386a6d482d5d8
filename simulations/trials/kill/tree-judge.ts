import { changesWithVersion, pageOf, type Version } from './applications.ts'
import type { Touched, Wanted } from './change-ledger.ts'
import type { SeenContainer, SeenPlace, TreeReading } from './tree-reading.ts'

/** A place that runs things: its name and how many hosts it has. */
export interface SiteShape {
  readonly site: string
  readonly hosts: number
  /** The zone that lets out counts alone, where the site is in one. */
  readonly hiddenIn?: string
}

/** One web for each site, and a till on every host. */
const instancesAt = ({ hosts }: SiteShape): number => 1 + hosts

const apart = ({ nodes }: TreeReading): readonly string[] =>
  nodes.flatMap(({ name, link, error }) => (link === 'down' ? [`${name} is not linked (${error ?? 'no reason'})`] : []))

const wrongAtSite = (
  { containers }: TreeReading,
  site: SiteShape,
  application: string,
  version: Wanted,
): readonly string[] => {
  const own = containers.filter((one) => one.application === application && one.site === site.site)
  if (version === undefined) return own.map(({ name }) => `${name} is still there`)
  const missing = instancesAt(site) - own.length
  return [
    ...own.flatMap((one) => {
      if (one.version !== version) return [`${one.name} is of version ${one.version}, not ${version}`]
      if (!one.ready || one.pid === 0) return [`${one.name} is not ready`]
      if (one.page !== undefined && !one.page.includes(pageOf(application, version)))
        return [`${one.name} answers ${JSON.stringify(one.page.slice(0, 80))}, not as version ${version}`]
      return []
    }),
    ...(missing === 0 ? [] : [`${site.site} has ${own.length} containers of ${application}, not ${instancesAt(site)}`]),
  ]
}

/** What the tower hears of a place must be what is wanted there, all of it ready. */
const wrongToldOf = (
  places: readonly SeenPlace[],
  where: string,
  application: string,
  version: Wanted,
  count: number,
): readonly string[] => {
  const wanted = places.filter((one) => one.where === where && one.isWanted)
  if (version === undefined) return wanted.map(() => `the tower hears that ${application} is wanted in ${where}`)
  const [one, ...others] = wanted
  if (one === undefined || others.length > 0)
    return [`the tower hears of ${wanted.length} versions of ${application} in ${where}, not of one`]
  const { version: heard, wanted: asked, ready, failing } = one
  if (heard === version && asked === count && ready === count && failing === 0) return []
  return [`the tower hears of ${application} ${heard} in ${where}: ${ready} of ${asked} ready, ${failing} failing`]
}

/**
 * What of the tree is not as it must become: every node linked, every site as the last acknowledged changes ask, and the
 * tower told so. Empty when all is.
 */
export const notYet = (
  reading: TreeReading,
  sites: readonly SiteShape[],
  wanted: ReadonlyMap<string, Wanted>,
): readonly string[] => {
  const places = Map.groupBy(sites, ({ site, hiddenIn }) => hiddenIn ?? site)
  return [
    ...apart(reading),
    ...[...wanted].flatMap(([application, version]) => [
      ...sites.flatMap((site) => wrongAtSite(reading, site, application, version)),
      ...[...places].flatMap(([where, some]) =>
        wrongToldOf(
          reading.told[application] ?? [],
          where,
          application,
          version,
          some.reduce((sum, site) => sum + instancesAt(site), 0),
        ),
      ),
    ]),
  ]
}

/** What is wrong with who belongs: another key than before, or somebody listed who is not enrolled. */
export const strangers = (
  { nodes, members }: Pick<TreeReading, 'nodes' | 'members'>,
  first: ReadonlyMap<string, string>,
): readonly string[] => [
  ...nodes.flatMap(({ name, fingerprint }) =>
    first.get(name) === fingerprint ? [] : [`${name} has the key ${fingerprint}, not ${first.get(name)}`],
  ),
  ...members.flatMap(({ at, name, status }) => (status === 'enrolled' ? [] : [`${at} lists ${name} as ${status}`])),
]

/** Whether a container had no reason to be touched: its application was not removed, and it does not change or was not changed. */
const isUntouched = ({ service }: SeenContainer, { changed, removed }: Touched): boolean =>
  !removed && !(changed && (changesWithVersion[service] ?? true))

/**
 * Containers that were healthy and stayed wanted as they were, and are not the same process any more.
 * @param touched what may have happened to an application between the two readings
 */
export const restarted = (
  before: readonly SeenContainer[],
  after: readonly SeenContainer[],
  touched: (application: string) => Touched,
): { readonly compared: number; readonly broken: readonly string[] } => {
  const is = new Map(after.map((one) => [one.name, one]))
  const healthy = before.filter((one) => one.ready && one.pid > 0 && isUntouched(one, touched(one.application)))
  return {
    compared: healthy.length,
    broken: healthy.flatMap((was) => {
      const now = is.get(was.name)
      if (now === undefined) return [`${was.name} was process ${was.pid} and is gone`]
      if (now.specHash !== was.specHash) return [`${was.name} got another specification`]
      if (now.id === was.id && now.pid === was.pid && now.restarts === was.restarts) return []
      return [`${was.name} was process ${was.pid} (${was.id}), is ${now.pid} (${now.id})`]
    }),
  }
}

/** The version a ledger's last word asks for, of what a tower may say. */
export const wantedOf = (deployed: Readonly<Record<string, string>>, application: string): Wanted =>
  deployed[application] as Version | undefined

import type { SitePlace } from './placement.ts'
import type { Hash } from './revision.ts'
import type { ApplicationSpec, ServiceSpec } from './specification.ts'

/** One instance of a service and the host that is to run it. */
export interface PlacedInstance {
  /** `<application>.<service>-<n>`, n from 1. */
  readonly id: string
  readonly service: string
  readonly host: string
}

/** Order in which a person counts: `h2` before `h10`; equal only for equal names. */
export const byHostName = (a: string, b: string): number => {
  const parts = (name: string) => name.match(/\d+|\D+/g) ?? []
  const [left, right] = [parts(a), parts(b)]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at] ?? '', right[at] ?? '']
    if (x === y) continue
    const numeric = /^\d/.test(x) && /^\d/.test(y) && Number(x) !== Number(y)
    return numeric ? Number(x) - Number(y) : x < y ? -1 : 1
  }
  return left.length - right.length
}

/**
 * The host of each of `replicas` instances: of the hosts with the fewest so far, the one with the highest hash
 * (rendezvous hashing, Thaler and Ravishankar 1998). All hosts compute the same from the same site; more replicas
 * move none of those that are there; the fullest and the emptiest host differ by at most one.
 */
const spreadReplicas = (service: string, replicas: number, hosts: readonly string[], hash: Hash): readonly string[] => {
  const load = new Map(hosts.map((host) => [host, 0]))
  return Array.from({ length: replicas }, (_, at) => {
    const fewest = Math.min(...load.values())
    const chosen = hosts
      .filter((host) => load.get(host) === fewest)
      .map((host) => ({ host, score: hash(`${service}-${at + 1}\0${host}`) }))
      .toSorted((a, b) => (a.score === b.score ? (a.host < b.host ? -1 : 1) : a.score < b.score ? 1 : -1))[0]
    if (!chosen) return ''
    load.set(chosen.host, fewest + 1)
    return chosen.host
  })
}

const placeService = (
  application: string,
  service: ServiceSpec,
  hosts: readonly string[],
  hash: Hash,
): PlacedInstance[] => {
  const name = `${application}.${service.name}`
  if (hosts.length === 0) return []
  const chosen =
    service.mode === 'one-per-matching-host' ? hosts : spreadReplicas(name, service.replicas ?? 1, hosts, hash)
  return chosen.map((host, at) => ({ id: `${name}-${at + 1}`, service: service.name, host }))
}

/** Which host of the site is to run which instance. The order of the hosts does not matter. */
export const spreadInstances = (
  application: ApplicationSpec,
  place: SitePlace,
  hash: Hash,
): readonly PlacedInstance[] => {
  const hosts = place.hosts.map(({ name }) => name).toSorted(byHostName)
  return application.services.flatMap((service) => placeService(application.name, service, hosts, hash))
}

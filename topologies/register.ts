import type { Name, ScopePath } from '../base/index.ts'
import type { FieldPath } from './field-path.ts'
import { topologyLimits } from './topology.ts'

/** Takes note of one problem at a field. */
export type Report = (path: FieldPath, message: string, suggestion: string) => void

/** What is used already while a topology is written out: names that must differ, and room up to the limits. */
export interface Register {
  readonly report: Report
  /** @returns whether the topology may hold `count` more; if not, that is reported. */
  takeRoom(kind: 'zones' | 'sites' | 'hosts', count: number, at: FieldPath): boolean
  claimScope(path: ScopePath, at: FieldPath): void
  claimSite(name: Name, path: ScopePath, at: FieldPath): void
  /** Host names are node names: one in the whole topology. */
  claimHost(name: string, at: FieldPath): void
  claimHostId(hostId: string, at: FieldPath): void
}

const hostIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

const outOfRoom = (kind: string) => `no room for ${kind}`

export const createRegister = (report: Report, lineOf: (path: FieldPath) => number): Register => {
  const used = { zones: 0, sites: 0, hosts: 0 }
  const empty = () => new Map<string, FieldPath>()
  const seen = { scope: empty(), site: empty(), host: empty(), id: empty() }
  const refused = new Set<string>()
  // A field inside a pattern is visited once for each name; its problem is said once.
  const once: Report = (path, message, suggestion) => {
    const key = path.join('\u0000')
    if (refused.has(key)) return
    refused.add(key)
    report(path, message, suggestion)
  }
  const claim = (kind: keyof typeof seen, what: string, name: string, at: FieldPath, ownHint: string) => {
    const first = seen[kind].get(name)
    if (first === undefined) {
      seen[kind].set(name, at)
      return
    }
    if (first.join('\u0000') === at.join('\u0000'))
      once(at, `makes ${what} ${JSON.stringify(name)} more than once`, ownHint)
    else once(at, `${what} ${JSON.stringify(name)} is used already at line ${lineOf(first)}`, 'choose another')
  }
  return {
    report: once,
    takeRoom: (kind, count, at) => {
      if (refused.has(outOfRoom(kind))) return false
      used[kind] += count
      if (used[kind] <= topologyLimits[kind]) return true
      refused.add(outOfRoom(kind))
      const limit = topologyLimits[kind].toLocaleString('en')
      once(
        at,
        `makes ${used[kind].toLocaleString('en')} ${kind}; a topology holds at most ${limit}`,
        'make the range smaller',
      )
      return false
    },
    claimScope: (path, at) => claim('scope', 'the path', path, at, 'put a range into the name'),
    claimSite: (name, path, at) => {
      claim('site', 'the site name', name, at, 'put {zone} or a range into the name')
      if (seen.scope.has(path)) claim('scope', 'the path', path, at, 'put {zone} into the name')
      else seen.scope.set(path, at)
    },
    claimHost: (name, at) => claim('host', 'the host name', name, at, 'put {site}, {zone} or a range into the name'),
    claimHostId: (hostId, at) => {
      if (!hostIdPattern.test(hostId))
        once(
          at,
          `${JSON.stringify(hostId.slice(0, 80))} is not a host-id`,
          'use letters, digits and . _ : -, at most 128',
        )
      claim('id', 'the host-id', hostId, at, 'put {n} or {site} into it')
    },
  }
}

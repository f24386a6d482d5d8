import type { ApplicationStateView, DifferenceView, DiffView, SiteView } from '../api/index.ts'

/** A name differs always. */
const sameForNone = ['system/name']

type Facts = ReadonlyMap<string, string>

const labelFacts = ({ labels }: SiteView): [string, string][] =>
  Object.entries(labels)
    .filter(([key]) => !sameForNone.includes(key))
    .map(([key, value]) => [`label ${key}`, value])

const distinct = (values: readonly string[]): string => [...new Set(values)].toSorted().join(', ')

/** Hosts by what they are: their names differ always. */
const hostFacts = ({ hosts }: SiteView): [string, string][] => {
  const up = hosts.filter((host) => host['oper-status'] === 'up').length
  const engines = hosts.flatMap(({ runtime }) =>
    runtime === undefined ? [] : [[runtime.driver, runtime.version].filter(Boolean).join(' ')],
  )
  const labels = hosts.flatMap((host) =>
    Object.entries(host.labels)
      .filter(([key]) => !sameForNone.includes(key))
      .map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  )
  return [
    ['hosts', String(hosts.length)],
    ['hosts up', `${up} of ${hosts.length}`],
    ...(engines.length > 0 ? [['hosts run on', distinct(engines)] as [string, string]] : []),
    ...(labels.length > 0 ? [['labels of hosts', distinct(labels)] as [string, string]] : []),
  ]
}

const applicationFacts = ({ name, sites }: ApplicationStateView, site: string): [string, string][] => {
  const rows = sites.filter((row) => row.site === site)
  const told = rows.find(({ phase }) => phase !== 'former')
  const former = rows.filter(({ phase }) => phase === 'former').map(({ version }) => version || 'without a version')
  const waiting = rows.flatMap((row) => row.waiting.map(({ reason }) => reason))
  const fact = (what: string, value: string | undefined): [string, string][] =>
    value === undefined || value === '' ? [] : [[`application ${name} ${what}`, value]]
  return [
    ...fact('is to', told && (told.phase === 'run' ? 'run' : 'be gone')),
    ...fact('version', told?.version),
    ...fact('revision', told?.revision),
    ...fact('ready', told && `${told.ready.count} of ${told.wanted.count}`),
    ...fact('failing', told && told.failing.count > 0 ? String(told.failing.count) : undefined),
    ...fact('unknown', told && told.unknown.count > 0 ? String(told.unknown.count) : undefined),
    ...fact('waits for', distinct(waiting)),
    ...fact('still runs', distinct(former)),
  ]
}

const factsOf = (site: SiteView, applications: readonly ApplicationStateView[]): Facts =>
  new Map([
    ...labelFacts(site),
    ...hostFacts(site),
    ...applications.flatMap((application) => applicationFacts(application, site.name)),
  ])

/**
 * What differs between two sites: labels, hosts, and per application what is wanted and how far it is. Names of sites
 * and hosts are left out, for they differ always.
 */
export const siteDiffView = (a: SiteView, b: SiteView, applications: readonly ApplicationStateView[]): DiffView => {
  const [ofA, ofB] = [factsOf(a, applications), factsOf(b, applications)]
  const differences = [...new Set([...ofA.keys(), ...ofB.keys()])]
    .toSorted()
    .filter((what) => ofA.get(what) !== ofB.get(what))
    .map((what): DifferenceView => {
      const [atA, atB] = [ofA.get(what), ofB.get(what)]
      return { what, ...(atA !== undefined && { a: atA }), ...(atB !== undefined && { b: atB }) }
    })
  return { a: a.name, b: b.name, differences }
}

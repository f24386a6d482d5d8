/** As many sites as the reference setup gives one aggregator. */
const sitesPerZone = 500

export interface ScaleSite {
  readonly site: string
  readonly host: string
  readonly scope: string
}

export interface ScaleZone {
  readonly scope: string
  readonly aggregator: string
  readonly sites: readonly ScaleSite[]
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0')

/** Zones of at most 500 sites of one host each, below the tower. */
export const zonesOf = (sites: number): readonly ScaleZone[] =>
  Array.from({ length: Math.max(1, Math.ceil(sites / sitesPerZone)) }, (_, at) => {
    const name = `zone-${padded(at + 1, 3)}`
    const count = Math.min(sitesPerZone, sites - at * sitesPerZone)
    return {
      scope: `/${name}`,
      aggregator: `${name}-aggregator`,
      sites: Array.from({ length: Math.max(0, count) }, (_site, n) => {
        const site = `${name}-shop-${padded(n + 1, 3)}`
        return { site, host: `${site}-till`, scope: `/${name}/${site}` }
      }),
    }
  })

/** The topology file of these zones. */
export const topologyOf = (zones: readonly ScaleZone[]): string => `version: 1
network: scale
towers:
  site: headquarters
  hosts:
    - name: tower
zones:
${zones
  .map(
    ({ scope, aggregator, sites }) => `  - name: ${scope.slice(1)}
    aggregators:
      hosts: [{ name: ${aggregator} }]
    sites:
      - name: "${scope.slice(1)}-shop-{001..${padded(sites.length, 3)}}"
        labels: { shop.example/zone: ${scope.slice(1)} }
        hosts: [{ name: "{site}-till" }]
`,
  )
  .join('')}`

import type { PortMapping } from './containers.ts'

type Ingress = { readonly protocol: 'tcp' | 'udp'; readonly port: number }

/** The text under which a host port is taken: TCP and UDP ports do not exclude each other. */
export const portKey = (protocol: 'tcp' | 'udp', port: number): string => `${protocol}/${port}`

/**
 * Gives each ingress port a host port: the one it had, else the port's own number when it lies in the range, else the
 * lowest free one. Ports to `avoid` (someone else listens there) come last.
 * @returns undefined when one of them finds no free port.
 */
export const allocatePorts = (ask: {
  readonly ingress: readonly Ingress[]
  readonly range: readonly [number, number]
  /** Keys of `portKey` that belong to someone else. */
  readonly taken: ReadonlySet<string>
  readonly keep: readonly PortMapping[]
  readonly avoid: ReadonlySet<string>
}): readonly PortMapping[] | undefined => {
  const [low, high] = ask.range
  const mine = new Set<string>()
  const isFree = (protocol: 'tcp' | 'udp', port: number) =>
    !ask.taken.has(portKey(protocol, port)) && !mine.has(portKey(protocol, port))
  const lowest = (protocol: 'tcp' | 'udp', shun: ReadonlySet<string>) => {
    for (let port = low; port <= high; port++)
      if (isFree(protocol, port) && !shun.has(portKey(protocol, port))) return port
    return undefined
  }
  const choose = ({ protocol, port }: Ingress) => {
    const kept = ask.keep.find((mapping) => mapping.protocol === protocol && mapping.containerPort === port)?.hostPort
    const wished = [kept, port].find(
      (candidate) =>
        candidate !== undefined &&
        candidate >= low &&
        candidate <= high &&
        isFree(protocol, candidate) &&
        !ask.avoid.has(portKey(protocol, candidate)),
    )
    return wished ?? lowest(protocol, ask.avoid) ?? lowest(protocol, new Set())
  }
  const mappings: PortMapping[] = []
  const sorted = ask.ingress.toSorted((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
  for (const ingress of sorted) {
    const hostPort = choose(ingress)
    if (hostPort === undefined) return undefined
    mine.add(portKey(ingress.protocol, hostPort))
    mappings.push({ protocol: ingress.protocol, containerPort: ingress.port, hostPort })
  }
  return mappings
}

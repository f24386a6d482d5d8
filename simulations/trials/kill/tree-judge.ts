import type { Application, Ledger, SeenContainer } from './tree-scene.ts'

/** What of the tree is not as the last acknowledged changes ask for, in words; empty when all is. */
export const notYet = (
  ledger: Ledger,
  containers: readonly SeenContainer[],
  expected: ReadonlyMap<Application, number>,
): readonly string[] =>
  (Object.entries(ledger) as [Application, Ledger[Application]][]).flatMap(([application, version]) => {
    const own = containers.filter((one) => one.application === application)
    if (version === undefined) return own.length === 0 ? [] : [`${application} still has ${own.length} containers`]
    const wrong = own.filter((one) => one.version !== version)
    const idle = own.filter((one) => !one.ready || one.pid === 0)
    const missing = (expected.get(application) ?? 0) - own.length
    return [
      ...wrong.map(({ name, version: found }) => `${name} runs version ${found}, not ${version}`),
      ...idle.map(({ name }) => `${name} is not ready`),
      ...(missing > 0 ? [`${application} lacks ${missing} containers`] : []),
    ]
  })

/** Containers that were restarted although what they are to be did not change. */
export const restarted = (
  before: readonly SeenContainer[],
  after: readonly SeenContainer[],
): { readonly compared: number; readonly broken: readonly string[] } => {
  const was = new Map(before.map((one) => [one.name, one]))
  const same = after.flatMap((one) => {
    const earlier = was.get(one.name)
    return earlier !== undefined && earlier.specHash === one.specHash ? [{ one, earlier }] : []
  })
  return {
    compared: same.length,
    broken: same
      .filter(({ one, earlier }) => one.pid !== earlier.pid)
      .map(({ one, earlier }) => `${one.name} was restarted: ${earlier.pid} became ${one.pid}`),
  }
}

/** What one store holds of one lane. */
export interface HeldLane {
  readonly node: string
  readonly lane: string
  /** Hashes of its envelopes, sorted. */
  readonly envelopes: readonly string[]
  /** What stands, as text. */
  readonly standing: string
  /** Envelopes whose author was no writer of the epoch, or is none of the owner's keys. */
  readonly unentitled: readonly string[]
}

/** Lanes that two stores hold differently, in words. */
export const differing = (
  held: readonly HeldLane[],
): { readonly compared: number; readonly broken: readonly string[] } => {
  const shared = [...Map.groupBy(held, ({ lane }) => lane)].filter(([, copies]) => copies.length > 1)
  return {
    compared: shared.length,
    broken: shared.flatMap(([lane, [first, ...others]]) =>
      others
        .filter((one) => one.envelopes.join() !== first?.envelopes.join() || one.standing !== first.standing)
        .map((one) => `${lane} is one at ${first?.node} and another at ${one.node}`),
    ),
  }
}

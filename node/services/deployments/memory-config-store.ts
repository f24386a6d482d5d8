import {
  admitApplication,
  admitApplicationRemoval,
  admitDeployment,
  admitDeploymentRemoval,
  withHistory,
} from './admit.ts'
import {
  ConfigError,
  type ConfigStore,
  type IntentEntry,
  type StoredApplication,
  type StoredDeployment,
} from './config-store.ts'
import { byName } from './placement.ts'

/** All a lane in memory holds, as plain JSON. */
export interface ConfigState {
  /** The order number of the last change. */
  readonly order: number
  readonly applications: readonly StoredApplication[]
  readonly deployments: readonly StoredDeployment[]
  readonly intents: readonly IntentEntry[]
  /** Per site the order number of the last change to what it was told. */
  readonly intentOrders: Readonly<Record<string, number>>
}

export interface MemoryConfigStoreOptions {
  /** What it holds at the start. @default nothing, order 0 */
  readonly state?: ConfigState
  /** Called with each new state before it counts; throwing refuses the change. @default keeps nothing */
  readonly commit?: (state: ConfigState) => void
}

interface Held {
  order: number
  readonly applications: Map<string, StoredApplication>
  readonly deployments: Map<string, StoredDeployment>
  readonly intents: Map<string, IntentEntry>
  readonly intentOrders: Map<string, number>
}

const intentKey = (site: string, application: string) => `${site}\0${application}`

const sorted = <Item>(map: ReadonlyMap<string, Item>): readonly Item[] =>
  [...map].toSorted(([a], [b]) => byName(a, b)).map(([, value]) => value)

const toState = (held: Held): ConfigState => ({
  order: held.order,
  applications: sorted(held.applications),
  deployments: sorted(held.deployments),
  intents: sorted(held.intents),
  intentOrders: Object.fromEntries(held.intentOrders),
})

const fromState = (state: ConfigState | undefined): Held => ({
  order: state?.order ?? 0,
  applications: new Map(state?.applications.map((one) => [one.name, one])),
  deployments: new Map(state?.deployments.map((one) => [one.spec.name, one])),
  intents: new Map(state?.intents.map((one) => [intentKey(one.site, one.application), one])),
  intentOrders: new Map(Object.entries(state?.intentOrders ?? {})),
})

/** Deployments of any version follow the newest one. */
const rollOut = (held: Held, application: string, version: string) => {
  for (const [name, deployment] of held.deployments)
    if (deployment.spec.application === application && deployment.spec['application-version'] === '*')
      held.deployments.set(name, { ...deployment, history: withHistory(deployment.history, version) })
}

/** A lane in memory; with `commit`, one whose every change is kept elsewhere before it counts. */
export const createMemoryConfigStore = (
  options: MemoryConfigStoreOptions = {},
): ConfigStore & { state(): ConfigState } => {
  let held = fromState(options.state)

  /** Changes a copy, has it kept, and only then lets it count: a change that cannot be kept never happened. */
  const change = <Result>(make: (next: Held) => Result): Result => {
    const next = fromState(toState(held))
    const result = make(next)
    options.commit?.(toState(next))
    held = next
    return result
  }

  return {
    state: () => toState(held),
    listApplications: async () => sorted(held.applications),
    getApplication: async (name) => held.applications.get(name),
    putApplication: async (revision, put = {}) => {
      const { name } = revision.spec
      const before = held.applications.get(name)
      const revisions = admitApplication(held, revision, put)
      if (!revisions && before) return { outcome: 'unchanged', stored: before }
      return change((next) => {
        const stored = { name, revisions: revisions ?? [revision], order: ++next.order }
        next.applications.set(name, stored)
        rollOut(next, name, revision.version)
        return { outcome: before ? 'changed' : 'created', stored }
      })
    },
    removeApplication: async (name, put = {}) => {
      admitApplicationRemoval(held, name, put)
      change((next) => {
        next.applications.delete(name)
        next.order++
      })
    },

    listDeployments: async () => sorted(held.deployments),
    getDeployment: async (name) => held.deployments.get(name),
    putDeployment: async (spec, changedAtMs, put = {}) => {
      const before = held.deployments.get(spec.name)
      const history = admitDeployment(held, spec, put)
      if (!history && before) return { outcome: 'unchanged', stored: before }
      return change((next) => {
        const stored = { spec, order: ++next.order, changedAtMs, history: history ?? [] }
        next.deployments.set(spec.name, stored)
        return { outcome: before ? 'changed' : 'created', stored }
      })
    },
    removeDeployment: async (name, put = {}) => {
      admitDeploymentRemoval(held, name, put)
      change((next) => {
        next.deployments.delete(name)
        next.order++
      })
    },

    listIntents: async () => sorted(held.intents),
    intentOrder: async (site) => held.intentOrders.get(site) ?? 0,
    putIntents: async (entries) => {
      if (entries.length === 0) return
      change((next) => {
        next.order++
        for (const entry of entries) {
          next.intents.set(intentKey(entry.site, entry.application), entry)
          next.intentOrders.set(entry.site, next.order)
        }
      })
    },
    forgetIntent: async (site, application) => {
      const key = intentKey(site, application)
      const entry = held.intents.get(key)
      if (!entry) return
      if (entry.phase !== 'retired')
        throw new ConfigError(
          'still-deployed',
          `site ${site} is to run ${application}: only a retired entry can be forgotten`,
        )
      change((next) => {
        next.intents.delete(key)
        next.intentOrders.set(site, ++next.order)
      })
    },
  }
}

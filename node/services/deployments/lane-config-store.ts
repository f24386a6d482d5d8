import type { LaneValue } from '../../../crdt/index.ts'
import type { NewConfigId } from './config-ids.ts'
import type { ApplicationRevision, ConfigStore, StoredApplication, StoredDeployment } from './config-store.ts'
import { type ConfigState, createMemoryConfigStore } from './memory-config-store.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { Hash } from './revision.ts'
import { readSpecification, writeSpecification } from './specification-blob.ts'
import {
  applicationEdit,
  type Decision,
  decisionEdit,
  deploymentEdit,
  readTenantConfig,
  removalEdit,
  type TenantConfig,
} from './tenant-config.ts'

/** The lane `tenant/<tenant>/config`, as its writer sees it. */
export interface ConfigLane {
  /** One value per key (`pickConfigValues`). */
  load(): Promise<ReadonlyMap<string, LaneValue>>
  /** Signs one change with all edits and syncs it. @throws when it cannot: then nothing of it is written */
  save(edits: ReadonlyMap<string, LaneValue>): Promise<void>
}

/** Specifications, kept by the sha256 of their bytes and pinned before a lane names them. */
export interface SpecificationBlobs {
  /** Returns the digest, as `sha256:<hex>` or its 64 digits, once the bytes are on disk. */
  put(bytes: Uint8Array): Promise<string>
  /** @param revision 64 hexadecimal digits */
  get(revision: string): Promise<Uint8Array | undefined>
}

/** What sites were told, kept for views alone: losing it costs an answer, never a container. */
export type ToldCache = Pick<ConfigState, 'intents' | 'intentOrders'>

export interface LaneConfigStoreOptions {
  readonly lane: ConfigLane
  readonly blobs: SpecificationBlobs
  /** Where that cannot be written, it is tried again with the next change. */
  readonly told: { load(): ToldCache | undefined; save(value: ToldCache): void }
  readonly newId: NewConfigId
  readonly hash: Hash
  /** The tenant's, which is in every revision. */
  readonly salt: string
  /** Called once a change of the lane counts: `config` shows it by then. */
  readonly onChange?: () => void
}

interface LostRevision {
  /** Name of the application. */
  readonly application: string
  readonly version: string
  readonly why: string
}

export interface LaneConfigStore extends ConfigStore {
  /**
   * Reads the lane; again after it changed from elsewhere.
   * @throws {SkerryError} `newer-format`, `bad-config`
   */
  open(): Promise<void>
  /**
   * Versions whose specification is not here: they are left out of what is shown and of what a change says, and what was
   * decided of them stands. One that is put again is there again.
   */
  lost(): readonly LostRevision[]
  /** All it holds, for a trial run on a copy. */
  state(): ConfigState
  /** What stands in the lane, ids and decisions included. */
  config(): TenantConfig
  /** Writes decisions in one change. Records they name must be on disk by then. */
  putDecisions(decisions: readonly Decision[]): Promise<void>
}

const nothingConfigured: TenantConfig = {
  applications: new Map(),
  deployments: new Map(),
  decisions: new Map(),
  removed: new Set(),
  order: 0,
}

interface Held {
  readonly state: ConfigState
  readonly config: TenantConfig
}

const sorted = (edits: Iterable<readonly [string, LaneValue]>): ReadonlyMap<string, LaneValue> =>
  new Map([...edits].toSorted(([a], [b]) => (a < b ? -1 : 1)))

/**
 * A ConfigStore whose every change is one signed change of a lane. The rules are those of the store in memory: a change
 * is made to a copy, written, and only then counts; so one that cannot be written never happened.
 */
export const createLaneConfigStore = (options: LaneConfigStoreOptions): LaneConfigStore => {
  const { lane, blobs, told, hash, salt } = options
  const inTurn = oneAtATime()
  let held: Held = { state: createMemoryConfigStore().state(), config: nothingConfigured }

  let lost: readonly LostRevision[] = []
  /** What sites were told is on disk; else it is tried again with the next change. */
  let isToldKept = true

  const readRevision = async (
    one: Omit<ApplicationRevision, 'spec' | 'images'>,
  ): Promise<ApplicationRevision | { readonly why: string }> => {
    const bytes = await blobs.get(one.revision)
    const found = bytes && readSpecification(bytes, one.revision, hash)
    if (found?.ok) return { ...one, spec: found.application, images: found.images }
    return { why: found ? found.refusal.message : 'its specification is not held' }
  }

  const open = async () => {
    const config = readTenantConfig(await lane.load())
    const applications: StoredApplication[] = []
    const missing: LostRevision[] = []
    for (const { name, order, revisions } of config.applications.values()) {
      const read: ApplicationRevision[] = []
      for (const one of revisions) {
        const found = await readRevision(one)
        if ('why' in found) missing.push({ application: name, version: one.version, why: found.why })
        else read.push(found)
      }
      if (read.length > 0) applications.push({ name, order, revisions: read })
    }
    lost = missing
    const deployments = [...config.deployments.values()].map(({ id: _, ...stored }) => stored)
    const cached = told.load()
    const orders = Object.values(cached?.intentOrders ?? {})
    held = {
      config,
      state: {
        order: Math.max(config.order, ...orders),
        applications,
        deployments,
        intents: cached?.intents ?? [],
        intentOrders: cached?.intentOrders ?? {},
      },
    }
  }

  const newId = (kind: 'application' | 'deployment', ...name: readonly string[]): string => {
    const { applications, deployments, removed } = held.config
    return options.newId(kind, name, (id) => applications.has(id) || deployments.has(id) || removed.has(id))
  }

  const applicationEdits = (next: ConfigState): readonly (readonly [string, LaneValue])[] => {
    const ids = new Map([...held.config.applications.values()].map(({ name, id }) => [name, id]))
    const before = new Map(held.state.applications.map((one) => [one.name, one]))
    const changed = next.applications.filter((one) => before.get(one.name) !== one)
    const gone = held.state.applications.filter(({ name }) => !next.applications.some((one) => one.name === name))
    return [
      ...changed.map(({ name, order, revisions }) =>
        applicationEdit({
          id: ids.get(name) ?? newId('application', name),
          name,
          order,
          revisions: revisions.map(({ version, revision, changedAtMs }) => ({ version, revision, changedAtMs })),
        }),
      ),
      ...gone.flatMap(({ name }) => {
        const id = ids.get(name)
        return id === undefined ? [] : [removalEdit('application', { id, name, order: next.order })]
      }),
    ]
  }

  const deploymentEdits = (next: ConfigState): readonly (readonly [string, LaneValue])[] => {
    const ids = new Map([...held.config.deployments.values()].map(({ spec, id }) => [spec.name, id]))
    const before = new Map(held.state.deployments.map((one) => [one.spec.name, one]))
    const changed = next.deployments.filter((one) => before.get(one.spec.name) !== one)
    // Pointed at another application it is another deployment: what it decided of the first is to be retired.
    const isAnother = ({ spec }: StoredDeployment) => {
      const former = before.get(spec.name)
      return former !== undefined && former.spec.application !== spec.application
    }
    const gone = [
      ...held.state.deployments.filter(({ spec }) => !next.deployments.some((one) => one.spec.name === spec.name)),
      ...changed.filter(isAnother),
    ]
    return [
      ...changed.map((one) =>
        deploymentEdit({
          id:
            (isAnother(one) ? undefined : ids.get(one.spec.name)) ??
            newId('deployment', one.spec.name, one.spec.application),
          ...one,
        }),
      ),
      ...gone.flatMap(({ spec: { name } }) => {
        const id = ids.get(name)
        return id === undefined ? [] : [removalEdit('deployment', { id, name, order: next.order })]
      }),
    ]
  }

  /** A blob is on disk before a lane names it. */
  const keepSpecifications = async (next: ConfigState) => {
    const known = new Set(held.state.applications.flatMap(({ revisions }) => revisions.map((one) => one.revision)))
    const added = next.applications.flatMap(({ revisions }) => revisions.filter((one) => !known.has(one.revision)))
    for (const { spec, images, revision } of added) {
      const digest = await blobs.put(writeSpecification({ application: spec, images, salt }))
      if (digest.replace(/^sha256:/, '') !== revision)
        throw new RangeError(`the specification of ${spec.name} is kept as ${digest}, but is named ${revision}`)
    }
  }

  /** The lane with these edits in it. */
  const withEdits = (edits: ReadonlyMap<string, LaneValue>): TenantConfig => {
    const { applications, deployments, decisions } = held.config
    const changed = readTenantConfig(edits)
    const without = <Value>(all: ReadonlyMap<string, Value>, more: ReadonlyMap<string, Value>) =>
      new Map([...all, ...more].filter(([id]) => !changed.removed.has(id)))
    return {
      applications: without(applications, changed.applications),
      deployments: without(deployments, changed.deployments),
      decisions: new Map([...decisions, ...changed.decisions]),
      removed: new Set([...held.config.removed, ...changed.removed]),
      order: Math.max(held.config.order, changed.order),
    }
  }

  /** What led to it is in the lane and counts: a disk without room for this is no reason to refuse the change. */
  const keepTold = ({ intents, intentOrders }: ConfigState) => {
    try {
      told.save({ intents, intentOrders })
      isToldKept = true
    } catch {
      isToldKept = false
    }
  }

  const commit = async (next: ConfigState) => {
    const edits = sorted([...applicationEdits(next), ...deploymentEdits(next)])
    if (edits.size > 0) {
      const config = withEdits(edits)
      await keepSpecifications(next)
      await lane.save(edits)
      held = { state: next, config }
      const names = new Set(
        next.applications.flatMap(({ name, revisions }) => revisions.map((one) => `${name} ${one.version}`)),
      )
      lost = lost.filter(({ application, version }) => !names.has(`${application} ${version}`))
      options.onChange?.()
      return
    }
    const isNews = next.order !== held.state.order
    held = { ...held, state: next }
    if (isNews || !isToldKept) keepTold(next)
  }

  const change = <Result>(make: (copy: ConfigStore) => Promise<Result>): Promise<Result> =>
    inTurn(async () => {
      const copy = createMemoryConfigStore({ state: held.state })
      const result = await make(copy)
      await commit(copy.state())
      return result
    })
  const ask = <Result>(question: (copy: ConfigStore) => Promise<Result>): Promise<Result> =>
    question(createMemoryConfigStore({ state: { ...held.state, intents: [], intentOrders: {} } }))

  return {
    open: () => inTurn(open),
    state: () => held.state,
    config: () => held.config,
    lost: () => lost,
    putDecisions: (decisions) =>
      inTurn(async () => {
        if (decisions.length === 0) return
        const edits = sorted(decisions.map(decisionEdit))
        const config = withEdits(edits)
        await lane.save(edits)
        held = { ...held, config }
        options.onChange?.()
      }),
    listApplications: () => ask((copy) => copy.listApplications()),
    getApplication: (name) => ask((copy) => copy.getApplication(name)),
    putApplication: (revision, put) => change((copy) => copy.putApplication(revision, put)),
    removeApplication: (name, put) => change((copy) => copy.removeApplication(name, put)),
    listDeployments: () => ask((copy) => copy.listDeployments()),
    getDeployment: (name) => ask((copy) => copy.getDeployment(name)),
    putDeployment: (spec, changedAtMs, put) => change((copy) => copy.putDeployment(spec, changedAtMs, put)),
    removeDeployment: (name, put) => change((copy) => copy.removeDeployment(name, put)),
    listIntents: async () => held.state.intents,
    intentOrder: async (site) => held.state.intentOrders[site] ?? 0,
    putIntents: (entries) => change((copy) => copy.putIntents(entries)),
    forgetIntent: (site, application) => change((copy) => copy.forgetIntent(site, application)),
  }
}

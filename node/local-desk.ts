import { type Clock, errorText, type Log, type Random, randomHex, type ScopePath, SkerryError } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type Candidate,
  type Conflict,
  type Documents,
  formatEntry,
  fromHex,
  givenUp,
  type LaneDraft,
  type LaneName,
  type LaneValue,
  nextFence,
  type Owner,
  type Signer,
  StoreError,
  takingEntries,
  toHex,
} from '../crdt/index.ts'
import { specificationBlobs } from './blob-bytes.ts'
import type { ConfigDesk } from './config-desk.ts'
import { createConfigServices } from './config-services.ts'
import type { Images } from './images.ts'
import type { SpecificationCopies } from './own-copies.ts'
import type { BlobStore, StateFile } from './powers/index.ts'
import { createRounds } from './rounds.ts'
import type { ScopeLanes } from './scope-lanes.ts'
import {
  applicationEdit,
  createDeployments,
  createLaneConfigStore,
  deploymentEdit,
  describeVersionStep,
  type Hash,
  type ImageCatalogue,
  type IntentEntry,
  mergeZoneConfig,
  noZoneConfig,
  planVersions,
  readTenantConfig,
  type SiteIntent,
  type Standing,
  type StandingWord,
  seenBy,
  signVersions,
  type TenantConfig,
  tenantConfigOf,
  withDecided,
  withFreshOrders,
  withOwnChange,
  withoutApplication,
  withoutChanges,
  writeEntries,
  type ZoneConfig,
} from './services/deployments/index.ts'
import { signingDelegation } from './services/membership/index.ts'
import type { Specifications } from './specifications.ts'

/** What is kept on disk: the zone's configuration, and the salt of the revisions its operators make. */
export interface KeptZoneConfig {
  readonly config: ZoneConfig
  /** 32 hexadecimal digits. */
  readonly salt: string
}

/** What operators of a zone change by themselves, also while nothing above can be reached: its `local` lane. */
export interface LocalDesk extends ConfigDesk {
  start(): Promise<void>
  /** Brings what is shown up to what the lanes say now. */
  refresh(): Promise<void>
  /**
   * Ends a conflict with one entry in the zone's own lane, on disk when it resolves.
   * @param taken one of its candidates
   */
  settle(conflict: Conflict, taken: Candidate, tenant: string): Promise<void>
}

export interface LocalDeskOptions {
  readonly scope: ScopePath
  readonly name: string
  /** The owner of this scope; undefined until this node may write for it. */
  readonly owner: () => Owner | undefined
  readonly signer: Signer
  readonly powers: AuthorityPowers
  readonly documents: Documents
  readonly book: Book
  readonly lanes: ScopeLanes
  readonly specifications: Specifications
  readonly blobs: BlobStore
  readonly copies: SpecificationCopies
  readonly images: Images
  readonly file: StateFile<KeptZoneConfig>
  readonly hash: Hash
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Name of the one tenant. */
  readonly tenantName: string
  /** What the sites right below are to do, as they were told last. */
  readonly intents: () => readonly SiteIntent[]
  /** Decisions that sites were told of an application and that are not here: a new one replaces them. */
  readonly waitedFor: (application: string) => readonly string[]
  readonly topology: () => Readonly<Record<string, unknown>>
  /** A write that failed is tried again after a while. */
  readonly later: (again: () => void) => void
  /** Called after the zone's own lane says something new. */
  readonly onChange: () => void
}

const saltBytes = 16

const isOfDisk = (error: unknown): error is SkerryError =>
  error instanceof StoreError || (error instanceof SkerryError && error.code === 'disk-full')

/** What stands between scopes above and the zone's own decisions: 32 bytes, drawn once and kept for as long as the store. */
export const opaqueSalt = (stateFile: <Value>(name: string) => StateFile<Value>, random: Random): Uint8Array => {
  const file = stateFile<{ readonly salt: string }>('opaque-salt')
  const held = file.load()
  if (held !== undefined) return fromHex(held.salt)
  const salt = random.fork('opaque-salt').bytes(32)
  file.save({ salt: toHex(salt) })
  return salt
}

export const createLocalDesk = (options: LocalDeskOptions): LocalDesk => {
  const { scope, documents, book, lanes, specifications, blobs, images, file, hash, clock, random, log, powers } =
    options
  let kept: KeptZoneConfig | undefined
  let standing: ReadonlyMap<string, Standing> = new Map()

  const tenant = (): string => {
    const [first] = book.tenants()
    if (first === undefined) throw new SkerryError('not-ready', `${options.name} is no member of the network yet`)
    return first.id
  }
  const lane = (): LaneName => ({ kind: 'local', scope, tenant: tenant() })

  const keptNow = (): KeptZoneConfig => {
    kept ??= file.load()
    kept ??= { config: noZoneConfig, salt: toHex(random.fork('salt').bytes(saltBytes)) }
    return kept
  }
  const save = (config: ZoneConfig): void => {
    const next = { ...keptNow(), config }
    if (JSON.stringify(next) !== JSON.stringify(file.load())) file.save(next)
    kept = next
  }

  const wordOf = async ({ voice, entry }: Pick<Candidate, 'voice' | 'entry'>): Promise<StandingWord> => {
    const version = entry.version === null ? undefined : book.version(entry.version)?.body
    return { voice, entry, version, specification: version && (await specifications.read(version.revision)) }
  }
  const standingNow = async (): Promise<ReadonlyMap<string, Standing>> => {
    const found = new Map<string, Standing>()
    for (const [, applications] of await lanes.effective())
      for (const [application, state] of applications) {
        const all: readonly Pick<Candidate, 'voice' | 'entry' | 'application'>[] =
          state.kind === 'entry' ? [{ voice: state.voice, entry: state.entry }] : state.candidates
        const words = await Promise.all(all.filter((one) => one.application === undefined).map(wordOf))
        const beside = all.filter((one) => one.application !== undefined).map(({ entry }) => entry)
        found.set(application, { words, ...(beside.length > 0 && { beside }) })
      }
    return found
  }

  /** What is configured, as a lane of configuration holds it: versions whose specification is not here any more left out. */
  const valuesOf = async ({ applications, deployments }: TenantConfig): Promise<ReadonlyMap<string, LaneValue>> => {
    const edits: (readonly [string, LaneValue])[] = [...deployments.values()].map(deploymentEdit)
    for (const one of applications.values()) {
      const held = await Promise.all(one.revisions.map(({ revision }) => specifications.read(revision)))
      const revisions = one.revisions.filter((_, at) => held[at] !== undefined)
      if (revisions.length > 0) edits.push(applicationEdit({ ...one, revisions }))
    }
    return new Map(edits)
  }

  const told = (): readonly IntentEntry[] =>
    options.intents().flatMap(({ site, applications }) =>
      applications.map(({ application, deployment, version, revision, phase }) => ({
        site,
        application,
        deployment,
        version,
        revision,
        phase,
      })),
    )

  const configIds = random.fork('config-ids')
  const store = createLaneConfigStore({
    lane: {
      load: async () => {
        standing = await standingNow()
        const config = mergeZoneConfig(keptNow().config, standing)
        // Not to disk: whoever only reads writes nothing, and what the lanes say is there again.
        kept = { ...keptNow(), config }
        return valuesOf(tenantConfigOf(config, standing))
      },
      save: async (edits) => save(withOwnChange(keptNow().config, readTenantConfig(edits))),
    },
    blobs: specificationBlobs(blobs, options.copies),
    told: { load: () => ({ intents: told(), intentOrders: {} }), save: () => {} },
    newId: () => randomHex(configIds, 16),
    hash,
    salt: keptNow().salt,
  })

  /** Images imported here, and those that what was handed down names: they are here with it. */
  const catalogue: ImageCatalogue = {
    resolve: (name) => {
      const handed = store
        .state()
        .applications.flatMap(({ revisions }) => revisions.flatMap((one) => one.images))
        .findLast((one) => one.name === name && blobs.pathOf(one.archive) !== undefined)
      return images.resolve(name) ?? (handed && { digest: handed.digest, archive: handed.archive })
    },
    names: () => [
      ...new Set([
        ...images.names(),
        ...store
          .state()
          .applications.flatMap(({ revisions }) => revisions.flatMap((one) => one.images.map(({ name }) => name))),
      ]),
    ],
  }

  const refresh = createRounds(async () => {
    if (book.tenants().length === 0) return
    await store.open()
  })

  /** One change of the zone's own lane. */
  const writeLane = async (owner: Owner, edit: (draft: LaneDraft) => ReadonlyMap<string, LaneValue>): Promise<void> => {
    const documentId = await documents.create(lane(), owner, options.signer)
    const [result] = await documents.write([{ documentId, edit }], options.signer)
    if (result !== undefined && !result.ok && result.refusal.code !== 'no-change')
      throw new SkerryError('write-failed', `what ${scope} decides cannot be written: ${result.refusal.message}`)
  }

  const decisionIds = random.fork('decisions')
  /** Signs what operators changed and the zone's own lane does not say yet. */
  const decide = async (): Promise<void> => {
    await refresh()
    const { config } = keptNow()
    const pending = Object.keys(config.changes).filter((id) => config.changes[id]?.isDecided === false)
    const owner = options.owner()
    if (pending.length === 0 || owner === undefined) return
    const configured = tenantConfigOf(config, standing)
    const planned = planVersions(configured, (id) => book.version(id)?.body)
    const steps = withFreshOrders(
      config,
      planned.filter(({ deployment }) => pending.includes(deployment)),
    )
    const signed = {
      ...config.signed,
      ...Object.fromEntries(steps.map(({ deployment, order }) => [deployment, order])),
    }
    // A number is used once: on disk before a signature has it.
    save({ ...config, signed })
    const { records, decisions } = signVersions(steps, configured, {
      networkId: book.networkId() ?? '',
      tenant: tenant(),
      signer: options.signer,
      powers,
      random: decisionIds,
    })
    const refused = (await book.take(records.map(({ bytes }) => bytes))).find((one) => one.kind === 'refused')
    if (refused !== undefined) throw new SkerryError('not-signed', refused.refusal.message)
    const writes = decisions.map(({ application, decision, version, seen }) => ({
      child: scope,
      application,
      decision,
      version,
      step: 0,
      seen: [...seen, ...seenBy(standing.get(application)), ...options.waitedFor(application)],
    }))
    if (writes.length > 0) await writeLane(owner, (draft) => writeEntries(draft, writes, owner.generation))
    for (const step of steps) log.info(`${scope} decides by itself: ${describeVersionStep(step)}`)
    const decided = new Map(decisions.map(({ deployment, decision }) => [deployment, decision]))
    save(withDecided(keptNow().config, pending, decided, standing))
    await refresh()
    options.onChange()
  }
  const settleChanges = createRounds(decide)
  let isRetrying = false
  /** Without anyone asking anew, where the disk is to blame: each try uses up a number, and writes it down. */
  const decideLater = (error: unknown): void => {
    if (isRetrying || !isOfDisk(error)) return
    isRetrying = true
    options.later(() => {
      isRetrying = false
      settleChanges().catch(decideLater)
    })
  }
  /** @throws {SkerryError} why it is not decided yet; it is kept, and tried again where the disk is to blame */
  const decideNow = async (): Promise<void> => {
    try {
      await settleChanges()
    } catch (error) {
      decideLater(error)
      if (!isOfDisk(error)) throw error
      log.warn('what operators of the zone changed waits for the disk', { error: errorText(error) })
      const message = `the change is kept, and ${scope} decides it once this is over: ${errorText(error)}`
      throw new SkerryError(error.code, message, { cause: error })
    }
  }

  const trial = {
    places: () => options.intents().map(({ place }) => place),
    images: catalogue,
    hash,
    clock,
    tenant: options.tenantName,
    salt: keptNow().salt,
  }
  const deployments = createDeployments({ ...trial, store, intentOrder: () => 0 })
  const services = createConfigServices({ store, deployments, trial, topology: options.topology })

  const mayWrite = (): void => {
    if (options.owner() === undefined)
      throw new SkerryError('not-ready', `${options.name} may not write for ${scope} yet: its parent has to enrol it`)
    const may = signingDelegation(book, scope, options.signer.keyId, tenant())
    if (!may.ok) throw new SkerryError('no-delegation', `${scope} cannot change applications by itself: ${may.why}`)
  }
  /** A change counts once the zone's own lane says it. */
  const changed = async <Result>(isApplied: boolean, change: () => Promise<Result>): Promise<Result> => {
    mayWrite()
    await refresh()
    const result = await change()
    if (isApplied) await decideNow()
    return result
  }

  const ownWord = `${scope} decides this for itself: a change from above that does not know it becomes a conflict`

  return {
    config: {
      ...services,
      list: async (...asked) => refresh().then(() => services.list(...asked)),
      read: async (...asked) => refresh().then(() => services.read(...asked)),
      versions: async (...asked) => refresh().then(() => services.versions(...asked)),
      write: (kind, asked) => changed(asked.effect === 'apply', () => services.write(kind, asked)),
      writeAll: async (asked) =>
        (await changed(asked.effect === 'apply', () => services.writeAll(asked))).map((one) =>
          one.kind === 'deployment' && one.outcome !== 'unchanged' && asked.effect !== 'validate'
            ? { ...one, impact: [...(one.impact ?? []), ownWord] }
            : one,
        ),
      patch: (kind, name, asked) => changed(asked.effect === 'apply', () => services.patch(kind, name, asked)),
      remove: (kind, name, asked) => changed(asked.effect === 'apply', () => services.remove(kind, name, asked)),
    },
    rollback: (deployment, toVersion) =>
      changed(true, async () => {
        const { from, to } = await deployments.rollback(deployment, toVersion)
        return { deployment, 'from-version': from, 'to-version': to }
      }),
    start: async () => {
      try {
        await decideNow()
        const { config } = keptNow()
        if (config.applications.length > 0) save(config)
      } catch (error) {
        log.error('what operators of the zone changed could not be signed', { error: errorText(error) })
      }
    },
    refresh,
    settle: async (conflict, taken, of) => {
      const owner = options.owner()
      if (owner === undefined) throw new SkerryError('not-ready', `${options.name} may not write for ${scope} yet`)
      // First what would be signed anew, then the word that ends it: a crash in between leaves the conflict open.
      const application = taken.application ?? conflict.application
      const given = givenUp(conflict, taken)
      const kept = given.reduce(withoutApplication, keptNow().config)
      save(taken.voice === 'intent' ? withoutChanges(kept, application) : kept)
      await writeLane(owner, ({ fence }) => {
        const next = nextFence(fence, owner.generation)
        if (next === undefined)
          throw new SkerryError('read-only-here', `the lane of ${scope} has a fence of another life`)
        const entries = takingEntries(conflict, taken, next)
        return new Map([...entries].map(([id, entry]) => [id, formatEntry(entry)]))
      })
      log.info(`${scope} settled a conflict`, {
        tenant: of,
        application,
        taken: taken.entry.decision,
      })
      await refresh()
      options.onChange()
    },
  }
}

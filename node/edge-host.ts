import { type Clock, errorText, type Log, SkerryError, sleep } from '../base/index.ts'
import {
  type Containers,
  createReconciler,
  type DesiredImage,
  type Histories,
  type ProbeRunner,
  type Reconciler,
} from '../runtime/index.ts'
import type { ExecOutcome } from './api/index.ts'
import { isOut, type NodeGuards } from './guards.ts'
import { type PreviousImages, rememberPrevious, spareImages } from './image-keeping.ts'
import type { ArchiveStore, StateFile } from './powers/index.ts'
import { desiredForHost, type Hash, type HostReport, type SiteIntent } from './services/deployments/index.ts'

/** Histories are kept this often at most, so that a crash loop does not wear out the disk. */
const keepHistoriesEveryMs = 10_000
const firstListWithinMs = 3_000
/** Images nobody needs are looked for this long after things have settled: a change of mind soon after costs no fetch. */
const pruneAfterMs = 60_000
const maxExecOutputBytes = 4 * 2 ** 20

/** One host at work: what its site is to do, kept on its own disk, and its share of it kept running. */
export interface EdgeHost {
  start(): Promise<void>
  /** Containers run on. */
  stop(): Promise<void>
  /** Takes an intent once it is on disk. An older one than was accepted is refused and logged. */
  accept(intent: SiteIntent): void
  accepted(): SiteIntent | undefined
  report(): HostReport
  onChange(listener: () => void): () => void
  /** Whether steps are under way, so that more is about to change. */
  isBusy(): boolean
  /** A parent came back: what waits for it is tried now. */
  parentBack(): void
  exec(
    instance: string,
    asked: { container?: string; args: readonly string[]; timeoutMs: number; signal: AbortSignal },
  ): Promise<ExecOutcome>
  logs(
    instance: string,
    asked: { container?: string; tailBytes: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<Uint8Array>
}

export interface EdgeHostOptions {
  readonly name: string
  readonly site: string
  readonly host: string
  readonly portRange: readonly [number, number]
  readonly containers: Containers
  readonly archives: ArchiveStore
  /** Whether archives are kept for siblings for as long as an accepted application needs them. @default false */
  readonly keepsArchives?: boolean
  readonly acceptedFile: StateFile<SiteIntent>
  readonly historiesFile: StateFile<Histories>
  readonly previousImagesFile: StateFile<PreviousImages>
  readonly hash: Hash
  readonly clock: Clock
  readonly log: Log
  /** Brings an archive from the parent into the archives here. @throws {SkerryError} that it cannot be had now */
  readonly fetchArchive: (archive: string, signal?: AbortSignal) => Promise<void>
  readonly probes: ProbeRunner
  /** @default all; a proof takes one out */
  readonly guards?: NodeGuards | undefined
}

export const createEdgeHost = (options: EdgeHostOptions): EdgeHost => {
  const { site, host, containers, archives, clock, log, guards } = options
  let accepted: SiteIntent | undefined
  let keepTimer: { cancel(): void } | undefined
  let pruneTimer: { cancel(): void } | undefined
  let previousImages = options.previousImagesFile.load() ?? {}
  const archivesOf = (intent: SiteIntent | undefined) =>
    (intent?.applications ?? []).flatMap((one) => (one.phase === 'run' ? one.images.map(({ archive }) => archive) : []))

  /** Archives the engine asked for, which may lie here: at the start those of an earlier life. */
  const fetched = new Set<string>()

  const fetchImage = async ({ archive }: DesiredImage, { signal }: { signal?: AbortSignal }): Promise<string> => {
    fetched.add(archive)
    const held = archives.pathOf(archive)
    if (held) return held
    await options.fetchArchive(archive, signal)
    const path = archives.pathOf(archive)
    if (path === undefined) throw new SkerryError('not-held', `the archive ${archive} did not come`)
    return path
  }

  const remembered = options.historiesFile.load() ?? {}
  const reconciler: Reconciler = createReconciler({
    containers,
    images: { fetch: fetchImage },
    probes: options.probes,
    clock,
    log,
    portRange: options.portRange,
    histories: remembered,
    ...(guards?.plan && { guards: guards.plan }),
  })

  /** Whoever asks a node that says it is ready wants to hear of its containers; an engine that is away is not waited for. */
  const firstList = async () => {
    const endMs = clock.monotonicMs() + firstListWithinMs
    while (reconciler.status().observedAgeMs === undefined && clock.monotonicMs() < endMs) await sleep(clock, 10)
  }

  let keptHistories = JSON.stringify(remembered)
  const keepHistories = () => {
    const histories = reconciler.histories()
    const text = JSON.stringify(histories)
    // A disk is not worn by what it holds already.
    if (text === keptHistories && !isOut(guards, 'edge', 'restarts-only-new')) return
    try {
      options.historiesFile.save(histories)
      keptHistories = text
    } catch (error) {
      log.warn('restart counts could not be kept', { error: errorText(error) })
    }
  }
  const keepLater = () => {
    keepTimer ??= clock.setTimer(keepHistoriesEveryMs, () => {
      keepTimer = undefined
      keepHistories()
    })
  }

  /** An archive is only the way an image travels: once the engine holds the image, its bytes are not kept twice. */
  const dropArchives = () => {
    if (options.keepsArchives || fetched.size === 0) return
    for (const { images } of reconciler.status().applications)
      for (const { state, name } of images) {
        const image = accepted?.applications
          .flatMap((one) => (one.phase === 'run' ? one.images : []))
          .find((one) => one.name === name)
        if (state !== 'present' || image === undefined || !fetched.delete(image.archive)) continue
        archives.drop(image.archive)
      }
  }

  /** Removes spare images, only while all is as wanted: nothing may be about to start from one. */
  const pruneImages = async () => {
    if (reconciler.status().applications.some(({ waiting }) => waiting.length > 0)) return
    const { images } = await containers.observe()
    const held = images.map(({ name }) => name)
    for (const name of spareImages(held, accepted, previousImages)) {
      await containers.removeImage(name)
      log.info('removed an image that nothing needs', { image: name })
    }
  }
  const pruneLater = () => {
    pruneTimer?.cancel()
    pruneTimer = clock.setTimer(pruneAfterMs, () => {
      pruneImages().catch((error: unknown) => log.warn('images could not be pruned', { error: errorText(error) }))
    })
  }

  const apply = (intent: SiteIntent) => {
    const desired = intent.applications.map((intended) => {
      // A container is named by what it is and not by its revision: one that is the same in both is left alone.
      const byRevision: Hash = (text) => options.hash(intended.revision + text)
      const hash = isOut(guards, 'edge', 'unchanged-stays') ? byRevision : options.hash
      return desiredForHost({ intended, place: intent.place, host, hash })
    })
    reconciler.setDesired(desired)
  }

  const containerOf = (instance: string, name: string | undefined) => {
    const found = reconciler
      .status()
      .applications.flatMap((application) => application.instances.map((one) => ({ application, instance: one })))
      .find((one) => one.instance.id === instance)
    if (!found) throw new SkerryError('not-found', `there is no instance ${instance} on ${host}; see skerry status`)
    const named = found.instance.containers
    if (name === undefined && named.length > 1)
      throw new SkerryError(
        'ambiguous',
        `${instance} has several containers: name one of ${named.map((one) => one.name).join(', ')} with --container`,
      )
    const container = name === undefined ? named[0] : named.find((one) => one.name === name)
    if (!container)
      throw new SkerryError(
        'not-found',
        `${instance} has no container ${name ?? ''}; it has ${named.map((one) => one.name).join(', ')}`,
      )
    return { tenant: found.application.tenant, container }
  }

  return {
    start: async () => {
      accepted = options.acceptedFile.load()
      for (const archive of archivesOf(accepted)) fetched.add(archive)
      if (accepted) apply(accepted)
      reconciler.start()
      await firstList()
      reconciler.onChange(keepLater)
      reconciler.onChange(dropArchives)
      pruneLater()
    },
    stop: async () => {
      keepTimer?.cancel()
      pruneTimer?.cancel()
      await reconciler.stop()
      keepHistories()
      await containers.stop()
    },
    accept: (intent) => {
      if (intent.site !== site) throw new SkerryError('wrong-site', `an intent for ${intent.site} came to ${site}`)
      if (accepted && intent.order < accepted.order) {
        log.warn('refused an intent older than the one accepted', { accepted: accepted.order, offered: intent.order })
        return
      }
      // Parents repeat themselves after every reconnection.
      const isSame = accepted !== undefined && JSON.stringify(accepted) === JSON.stringify(intent)
      if (isSame && !isOut(guards, 'edge', 'only-new')) return
      // What a rollback needs is written first: a crash in between keeps too much, never too little.
      const previous = rememberPrevious(previousImages, accepted, intent)
      if (JSON.stringify(previous) !== JSON.stringify(previousImages)) options.previousImagesFile.save(previous)
      if (!isOut(guards, 'edge', 'on-disk')) options.acceptedFile.save(intent)
      previousImages = previous
      const needed = new Set(archivesOf(intent))
      if (options.keepsArchives) for (const one of archivesOf(accepted)) if (!needed.has(one)) archives.drop(one)
      accepted = intent
      pruneLater()
      apply(intent)
    },
    accepted: () => accepted,
    report: () => ({
      site,
      host,
      node: options.name,
      link: 'up',
      linkForMs: 0,
      receivedAgeMs: 0,
      ...(accepted && { acceptedOrder: accepted.order }),
      status: reconciler.status(),
    }),
    onChange: (listener) => reconciler.onChange(listener),
    isBusy: () => !reconciler.isSettled(),
    parentBack: () => reconciler.retryFetches(),
    exec: async (instance, { container: name, args, timeoutMs, signal }) => {
      const { container } = containerOf(instance, name)
      if (container.id === undefined)
        throw new SkerryError('not-running', `${instance}/${container.name} does not run; skerry explain says why`)
      return containers.exec(container.id, { args, timeoutMs, maxOutputBytes: maxExecOutputBytes, signal })
    },
    logs: (instance, { container: name, tailBytes, follow, signal }) => {
      const { tenant, container } = containerOf(instance, name)
      const records = containers.readLog({ tenant, instance, container: container.name }, { tailBytes, follow, signal })
      return (async function* () {
        for await (const { bytes } of records) yield bytes
      })()
    },
  }
}

import { type ScopePath, SkerryError } from '../base/index.ts'
import { borderAround, explainPolicy, policyKinds, type Topology, zones } from '../topologies/index.ts'
import type {
  ApiServices,
  ApplicationStateView,
  AuthorityServices,
  ExecOutcome,
  MemberServices,
  NodeView,
  ZonePolicyView,
} from './api/index.ts'
import type { NodeConfig } from './config.ts'
import type { ConfigDesk } from './config-desk.ts'
import type { Conflicts } from './conflicts.ts'
import type { Forwarder } from './forwarding.ts'
import { createHandedConfigServices } from './handed-config-services.ts'
import type { Images } from './images.ts'
import type { Knowledge } from './knowledge.ts'
import type { Hash } from './services/deployments/index.ts'
import type { TreeNode } from './tree-node.ts'
import {
  applicationViews,
  borders,
  borderText,
  conflictNote,
  deploymentViews,
  explainView,
  hostViews,
  instanceViews,
  parentText,
  reportBorder,
  siteDiffView,
  siteViews,
  treeView,
  unknownSite,
  withConflicts,
  type ZoneKnowledge,
  zoneViews,
} from './views/index.ts'
import type { ZonePolicies } from './zone-policies.ts'

export interface ApiServicesOptions {
  readonly config: NodeConfig
  readonly nodes: () => readonly TreeNode[]
  readonly knowledge: () => Promise<Knowledge>
  readonly nodeView: () => NodeView
  readonly forwarder: Forwarder
  readonly hash: Hash
  readonly images: Images
  /** Where configuration is changed; none at an edge. */
  readonly desk?: ConfigDesk
  readonly conflicts: Conflicts
  /** Changes that are not in force, about what these signed versions are of, in a scope and around it; a line each. */
  readonly lateAbout: (versions: readonly string[], scope: string | undefined) => readonly string[]
  readonly authority: AuthorityServices
  readonly policies: ZonePolicies
  readonly topology?: Topology
  readonly members: MemberServices
  readonly zoneKnowledge: ZoneKnowledge
}

const policyView = (topology: Topology, path: string, more: readonly string[]): ZonePolicyView | undefined => {
  if (!zones(topology).some((zone) => zone.path === path)) return undefined
  const { zone, privacy, policy, settle, settleLine, ancestors } = explainPolicy(topology, path)
  return {
    scope: zone,
    privacy,
    policy: { ...policy },
    settle,
    notes: zone === '/' ? [] : [settleLine, ...more],
    ancestors: ancestors.map(({ ancestor, kinds, sentence }) => ({
      scope: ancestor,
      sees: Object.fromEntries(
        policyKinds.map((kind) => [kind, kinds.find((one) => one.kind === kind)?.level ?? 'none']),
      ),
      lines: [sentence, ...kinds.map(({ kind, level, words }) => `  ${kind} (${level}): ${words}`)],
    })),
  }
}

/** What the node offers, as the API asks for it. */
export const createApiServices = (options: ApiServicesOptions): ApiServices => {
  const {
    config,
    nodes,
    knowledge,
    nodeView,
    forwarder,
    hash,
    images,
    desk,
    topology,
    members,
    zoneKnowledge,
    conflicts,
  } = options
  const needTower = (): never => {
    throw new SkerryError('read-only-here', 'this is done at a tower or an aggregator; ask its API')
  }
  let handed: Knowledge | undefined
  const documents = () => [
    ...(handed?.applications ?? []).map(({ name, order, revisions }) => ({
      kind: 'applications' as const,
      name,
      order,
      value: revisions.at(-1)?.spec ?? {},
    })),
    ...(handed?.deployments ?? []).map(({ order, spec }) => ({
      kind: 'application-deployments' as const,
      name: spec.name,
      order,
      value: spec,
    })),
  ]
  const known = async () => {
    handed = await knowledge()
    return handed
  }
  const ends = () => (topology ? borders(topology) : [])
  const noSite = (site: string, { places }: Knowledge): never => {
    const names = places.map((place) => place.site).toSorted()
    throw unknownSite(site, config.name, names, ends())
  }
  /** @throws {SkerryError} `not-found` when a site is named that nobody here knows */
  const knownAt = async (site: string | undefined) => {
    const all = await known()
    if (site !== undefined && !all.places.some((place) => place.site === site)) noSite(site, all)
    return all
  }
  const parentNote = () => {
    const { parent } = nodeView()
    return parent && parentText(parent)
  }
  const handedConfig = createHandedConfigServices(documents, () => ({ nodes: nodes() }))
  const ofSite = <Item extends { readonly site: string }>(items: readonly Item[], site: string | undefined) =>
    items.filter((item) => site === undefined || item.site === site)

  const conflicted = async (views: readonly ApplicationStateView[]) =>
    withConflicts(views, await conflicts.list(), await conflicts.overrides())

  return {
    config: desk?.config ?? {
      ...handedConfig,
      list: async (kind, asked) => known().then(() => handedConfig.list(kind, asked)),
      read: async (kind, name, asked) => known().then(() => handedConfig.read(kind, name, asked)),
      versions: async (kind, name, asked) => known().then(() => handedConfig.versions(kind, name, asked)),
    },
    images: {
      list: async () => images.list(),
      import: async (archive) => (desk ? images.take(archive) : needTower()),
    },
    state: {
      node: async ({ site, signal }) => {
        if (site === undefined || site === config.site) return nodeView()
        return (await forwarder.send({ to: forwarder.nodeAt(site), call: 'node' }, signal)).head as NodeView
      },
      tree: async () => {
        const name = topology?.network ?? config.scope.split('/').at(-1) ?? config.name
        const root = { scope: config.scope, name: name === '' ? config.name : name, note: parentNote() }
        return treeView(root, nodes(), await known(), ends())
      },
      sites: async ({ site }) => siteViews(await known()).filter(({ name }) => site === undefined || name === site),
      site: async (name) => {
        const all = await known()
        const found = siteViews(all).find((site) => site.name === name)
        return found === undefined && ends().length > 0 ? noSite(name, all) : found
      },
      hosts: async ({ site }) => ofSite(hostViews(await knownAt(site)), site),
      siteDiff: async (a, b) => {
        const all = await known()
        const sites = siteViews(all)
        const named = (name: string) => sites.find((site) => site.name === name) ?? noSite(name, all)
        return siteDiffView(named(a), named(b), applicationViews(all, hash))
      },
      zones: async () => (topology ? zoneViews(topology, config.scope, zoneKnowledge) : []),
      zonePolicy: async (path) => {
        const tree = options.policies.tree() ?? topology
        const around = tree && borderAround(tree, path as ScopePath)
        if (around !== undefined && around !== path)
          throw new SkerryError('not-found', `zone ${path} is not known at ${config.name}; ${borderText(around)}`)
        return tree ? policyView(tree, path, options.policies.notes(path)) : needTower()
      },
      applications: async ({ site }) => conflicted(applicationViews(await knownAt(site), hash, site)),
      application: async (name, { site }) =>
        (await conflicted(applicationViews(await knownAt(site), hash, site))).find(
          (application) => application.name === name,
        ),
      serviceInstances: async (application, { site }) => instanceViews(await knownAt(site), application, site),
      explain: async (application, { site }) => {
        const parent = nodeView().parent
        const note = parent?.link === 'down' ? `${parentText(parent)}; what it wants may be newer` : undefined
        const all = await known()
        const scope = all.places.find((place) => place.site === site)?.scope
        const own = scope && conflictNote(application, scope, await conflicts.list(), await conflicts.overrides())
        const border = topology && scope && reportBorder(topology, config.scope, scope)
        const beyond = (site === undefined ? ends() : border === undefined ? [] : [border]).map(borderText)
        const notes = [own, note, ...beyond].filter((one) => one !== undefined)
        const text = notes.length > 0 ? notes.join('; ') : undefined
        const versions = all.signed.flatMap((one) => (one.application === application ? (one.version ?? []) : []))
        const late = options.lateAbout(versions, scope)
        return explainView(all, hash, application, { site, note: text, late, borders: ends() })
      },
      deployments: async () => deploymentViews(await known(), hash),
      deployment: async (name) => deploymentViews(await known(), hash).find((one) => one.name === name),
    },
    members,
    authority: options.authority,
    conflicts: {
      list: () => conflicts.list(),
      settle: (application, { take, zone, signal }) =>
        conflicts.settle({ application, take, ...(zone !== undefined && { zone }) }, signal),
    },
    operations: {
      rollback: async (deployment, { toVersion }) => (desk ? desk.rollback(deployment, toVersion) : needTower()),
      exec: async (instance, { site, container, args, timeoutMs, signal }) => {
        const to = forwarder.nodeOf(instance, site)
        const call = {
          to,
          call: 'exec' as const,
          instance,
          args,
          timeoutMs,
          ...(container !== undefined && { container }),
        }
        const head = (await forwarder.send(call, signal)).head as Omit<ExecOutcome, 'stdout' | 'stderr'> & {
          stdout: string
          stderr: string
        }
        const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
        return { ...head, stdout: bytes(head.stdout), stderr: bytes(head.stderr) }
      },
      logs: async (instance, { site, container, tailBytes, follow, signal }) => {
        const to = forwarder.nodeOf(instance, site)
        const call = {
          to,
          call: 'logs' as const,
          instance,
          tailBytes,
          follow,
          ...(container !== undefined && { container }),
        }
        return (await forwarder.send(call, signal)).body
      },
    },
  }
}

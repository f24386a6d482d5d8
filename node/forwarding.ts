import { type ScopePath, SkerryError } from '../base/index.ts'
import { ancestorsOf, parentOf, type Topology, type ZonePolicy, zoneAt, zones } from '../topologies/index.ts'
import type { ExecOutcome, NodeView } from './api/index.ts'
import type { LinkAnswer } from './links/index.ts'
import type { MemberCall } from './member-services.ts'
import type { HostReport } from './services/deployments/index.ts'
import type { SettleCall } from './settle-call.ts'
import { isWithin, type TreeNode } from './tree-node.ts'
import { borders, borderText, unknownSite } from './views/index.ts'

/**
 * A request on its way to the node that acts on it. `from` is the outermost scope that asks: whoever hands it on writes
 * where it came from, and a node that hands on something of its own writes its own scope.
 */
export type Forwarded = { readonly to: string; readonly from?: string } & (
  | { readonly call: 'node' }
  | { readonly call: 'member'; readonly member: MemberCall }
  | { readonly call: 'settle'; readonly settle: SettleCall }
  | {
      readonly call: 'exec'
      readonly instance: string
      readonly container?: string
      readonly args: readonly string[]
      readonly timeoutMs: number
    }
  | {
      readonly call: 'logs'
      readonly instance: string
      readonly container?: string
      readonly tailBytes: number
      readonly follow: boolean
    }
)

/** What a node does itself when a request names it. */
export interface LocalCalls {
  node(): NodeView
  member(call: MemberCall): Promise<unknown>
  settle(call: SettleCall, signal: AbortSignal): Promise<unknown>
  exec(call: Extract<Forwarded, { call: 'exec' }>, signal: AbortSignal): Promise<ExecOutcome>
  logs(call: Extract<Forwarded, { call: 'logs' }>, signal: AbortSignal): AsyncIterable<Uint8Array>
}

export interface Forwarder {
  /** @throws {SkerryError} `not-found`, `site-unreachable`, or the refusal of the node that acts */
  send(call: Forwarded, signal: AbortSignal): Promise<LinkAnswer>
  /** Answers a request a parent sent: here, or further down. */
  serve(question: unknown, signal: AbortSignal): Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
  /** The node that runs an instance. @throws {SkerryError} `not-found`, `ambiguous` */
  nodeOf(instance: string, site: string | undefined): string
  /** A node of the site, linked ones first. @throws {SkerryError} `not-found` */
  nodeAt(site: string): string
}

export interface ForwarderOptions {
  readonly self: string
  readonly nodes: () => readonly TreeNode[]
  readonly reports: () => readonly HostReport[]
  /** The same as heard on links of this node alone: which of the hosts can be asked through it. */
  readonly heardHere: () => readonly HostReport[]
  readonly local: LocalCalls
  readonly request: (peer: string, question: unknown, signal: AbortSignal) => Promise<LinkAnswer>
  /** Of this node. */
  readonly scope: string
  /** What this node may read of the tree, with the policies that hold now; undefined at an edge, which is no zone. */
  readonly tree: () => Topology | undefined
}

/** What a zone's policy says of a request from above: whoever follows a log takes its lines out as well. */
const letsIn = (policy: ZonePolicy | undefined, call: string): boolean =>
  policy?.operations === 'all' && (call !== 'logs' || policy.logs === 'all')

/**
 * The outermost zone on the way from who asks to `scope` that does not let it do this, or undefined. Judged where a
 * request arrives, whatever those it came through believed (DESIGN.md section 3).
 */
export const closedBorder = (
  tree: Topology,
  scope: string,
  { call, from }: { readonly call: string; readonly from: string },
): string | undefined =>
  zones(tree)
    .filter(({ path }) => path !== from && isWithin(path, from) && isWithin(scope, path))
    .find(({ policy }) => !letsIn(policy, call))?.path ?? (zoneAt(tree, scope) === undefined ? scope : undefined)

/** Who asks, as far as the node above says so: it may act for somebody above it, and for nobody else. */
export const askerOf = (claimed: unknown, parent: string): string =>
  ancestorsOf(parent as ScopePath).find((scope) => scope === claimed) ?? parent

const noBytes = async function* (): AsyncGenerator<Uint8Array> {}

/** Finds the way down the tree, one link at a time. */
export const createForwarder = (options: ForwarderOptions): Forwarder => {
  const { self, nodes, reports, heardHere, local } = options
  const ends = () => {
    const tree = options.tree()
    return tree === undefined ? [] : borders(tree)
  }

  const here = async (call: Forwarded, signal: AbortSignal): Promise<LinkAnswer> => {
    if (call.call === 'node') return { head: local.node(), body: noBytes() }
    if (call.call === 'member') return { head: await local.member(call.member), body: noBytes() }
    if (call.call === 'settle') return { head: await local.settle(call.settle, signal), body: noBytes() }
    if (call.call === 'logs') return { head: {}, body: local.logs(call, signal) }
    const { stdout, stderr, exitCode, truncated } = await local.exec(call, signal)
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    return { head: { exitCode, truncated, stdout: text(stdout), stderr: text(stderr) }, body: noBytes() }
  }

  const send = async (call: Forwarded, signal: AbortSignal): Promise<LinkAnswer> => {
    if (call.to === self) return here(call, signal)
    const target = nodes().find(({ name }) => name === call.to)
    if (!target) throw new SkerryError('not-found', `there is no node ${call.to} below ${self}`)
    const children = nodes().filter(({ parents }) => parents.includes(self))
    const child =
      children.find(({ name }) => name === target.name) ??
      children.find((one) => one.role !== 'edge' && isWithin(target.scope, one.scope))
    if (!child) throw new SkerryError('not-found', `no link of ${self} leads to ${call.to}`)
    try {
      return await options.request(child.name, { ...call, from: call.from ?? options.scope }, signal)
    } catch (error) {
      if (error instanceof SkerryError && error.code === 'link-down')
        throw new SkerryError('site-unreachable', `${call.to} cannot be asked now: ${error.message}`, { cause: error })
      throw error
    }
  }

  return {
    send,
    serve: async (question, signal) => {
      const call = question as Forwarded
      if (typeof call !== 'object' || call === null || typeof call.to !== 'string')
        throw new SkerryError('bad-message', 'a forwarded request names no node')
      const from = askerOf(call.from, parentOf(options.scope as ScopePath) ?? '/')
      const tree = options.tree()
      const closed = tree && closedBorder(tree, options.scope, { call: String(call.call), from })
      if (closed !== undefined) throw new SkerryError('beyond-border', borderText(closed))
      if (!['node', 'member', 'settle', 'exec', 'logs'].includes(call.call))
        throw new SkerryError('not-supported', `this node does not know the request ${String(call.call)}`)
      return send({ ...call, from }, signal)
    },
    nodeOf: (instance, site) => {
      const found = reports().filter(
        (report) =>
          (site === undefined || report.site === site) &&
          report.status?.applications.some(({ instances }) => instances.some(({ id }) => id === instance)),
      )
      const [first] = found
      if (!first)
        throw new SkerryError(
          'not-found',
          [
            `no host ${site === undefined ? '' : `of site ${site} `}has told of an instance ${instance}`,
            ...ends().map(borderText),
            '"skerry status" shows what runs where',
          ].join('; '),
        )
      const sites = [...new Set(found.map((report) => report.site))]
      if (sites.length > 1)
        throw new SkerryError(
          'ambiguous',
          `${instance} runs at several sites: name one of ${sites.join(', ')} with --site`,
        )
      return first.node
    },
    nodeAt: (site) => {
      const found = heardHere().filter((report) => report.site === site)
      const best = found.find(({ link }) => link === 'up') ?? found[0]
      if (!best) {
        const known = [...new Set(nodes().flatMap((node) => (node.site === '' ? [] : [node.site])))].toSorted()
        throw unknownSite(site, self, known, ends())
      }
      return best.node
    },
  }
}

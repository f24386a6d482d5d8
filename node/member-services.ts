import { nameHint, type ScopePath, SkerryError } from '../base/index.ts'
import { borderAround, type Topology } from '../topologies/index.ts'
import type { AskedMember, BlockTarget, CallingHost, MemberServices, MemberView } from './api/index.ts'
import type { NodeConfig } from './config.ts'
import { closedBorder } from './forwarding.ts'
import { inApiCodes } from './in-api-codes.ts'
import type { MemberView as Member, Membership } from './services/membership/index.ts'
import { isWithin, type TreeNode } from './tree-node.ts'
import { borders, borderText } from './views/index.ts'

/** A question of membership on its way to the node that enrols. */
export type MemberCall =
  | { readonly op: 'list' }
  | { readonly op: 'token'; readonly host: string }
  | { readonly op: 'claim'; readonly who: CallingHost; readonly name: string }
  | { readonly op: 'block' | 'allow'; readonly target: BlockTarget }

export interface MemberServicesOptions {
  readonly config: NodeConfig
  readonly membership: Membership
  readonly topology: Topology | undefined
  /** The zones this node knows, with what may leave them now. */
  readonly tree: () => Topology | undefined
  readonly nodes: readonly TreeNode[]
  /** Asks another node. @throws {SkerryError} `site-unreachable`, or its refusal */
  readonly ask: (node: string, call: MemberCall, signal: AbortSignal) => Promise<unknown>
}

const inCodes = inApiCodes({
  'unknown-host': 'not-found',
  'unknown-site': 'not-found',
  'unknown-zone': 'not-found',
  'unknown-caller': 'not-found',
  'ambiguous-caller': 'ambiguous',
  'not-enrolled': 'not-ready',
  'blocked-otherwise': 'conflict',
  'wrong-place': 'conflict',
  'list-full': 'conflict',
})

const statusOf: Readonly<Record<Member['state'], MemberView['oper-status']>> = {
  enrolled: 'enrolled',
  expected: 'expected',
  waiting: 'waiting',
  duplicate: 'duplicate',
  blocked: 'blocked',
  gone: 'enrolled',
}

const viewOf = (member: Member, fallbackScope: string): MemberView => ({
  ...(member.name !== undefined && { name: member.name }),
  scope: member.scope ?? fallbackScope,
  ...(member.role === 'edge' && member.scope !== undefined && { site: member.scope.split('/').at(-1) ?? '' }),
  role: member.role ?? 'edge',
  'oper-status': statusOf[member.state],
  ...(member.fingerprint !== undefined && { fingerprint: member.fingerprint }),
  ...(member.hostId !== undefined && { 'host-id': member.hostId }),
  ...(member.calledAgoMs !== undefined && { 'last-call-ms': member.calledAgoMs }),
  ...(member.address !== undefined && { address: member.address }),
  ...(member.state === 'gone' && { note: 'the topology names it no more' }),
  ...(member.hasToken && { note: 'a token for it is out' }),
})

const byScope = (a: MemberView, b: MemberView): number => {
  if (a.scope !== b.scope) return a.scope < b.scope ? -1 : 1
  return (a.name ?? '\uffff') < (b.name ?? '\uffff') ? -1 : 1
}

const callerOf = (who: CallingHost) => ('fingerprint' in who ? who.fingerprint : who.hostId)

/** Membership as the API offers it: answered here, or by the node of the zone that enrols. */
export const createMemberServices = (options: MemberServicesOptions) => {
  const { config, membership, topology, nodes } = options
  const own = () => membership.hosts().map((member) => viewOf(member, config.scope))
  const named = (name: string): MemberView =>
    own().find((view) => view.name === name) ?? { name, scope: config.scope, role: 'edge', 'oper-status': 'expected' }

  const concerned = (target: BlockTarget): readonly MemberView[] =>
    own().filter((view) =>
      target.kind === 'host'
        ? view.name === target.host
        : target.kind === 'site'
          ? view.site === target.site
          : view.scope === target.zone,
    )
  const targetOf = (target: BlockTarget) =>
    target.kind === 'host'
      ? { host: target.host }
      : target.kind === 'site'
        ? { site: target.site }
        : { zone: target.zone }

  const act = (call: MemberCall): Promise<unknown> =>
    inCodes(async () => {
      if (config.role === 'edge') throw new SkerryError('not-found', `${config.name} enrols nobody: ask its parent`)
      switch (call.op) {
        case 'list':
          return own()
        case 'token': {
          if (named(call.host)['oper-status'] === 'enrolled')
            throw new SkerryError(
              'already-enrolled',
              `${call.host} is a member already; to let another machine take its place, use "skerry hosts claim KEY --as ${call.host}" once it has called`,
            )
          const { token } = await membership.token(call.host)
          return { name: call.host, token }
        }
        case 'claim': {
          await membership.claim(callerOf(call.who), call.name)
          return named(call.name)
        }
        case 'block':
          await membership.block(targetOf(call.target))
          return concerned(call.target)
        case 'allow': {
          if (concerned(call.target).every((view) => view['oper-status'] !== 'blocked'))
            throw new SkerryError('not-blocked', 'nothing of that is blocked here')
          await membership.allow(targetOf(call.target))
          return concerned(call.target)
        }
      }
    })

  const border = (zone: string): SkerryError => new SkerryError('beyond-border', borderText(zone))
  /** The zone whose border ends the way to another; undefined where all let this node in. */
  const endOfWay = (zone: string): string | undefined => {
    const tree = options.tree()
    return tree === undefined ? zone : closedBorder(tree, zone, { call: 'member', from: config.scope })
  }
  const letsIn = (zone: string) => endOfWay(zone) === undefined
  /** What is not known here may be behind a border, or nowhere: both are said alike. */
  const withBorders = (error: unknown): never => {
    const tree = options.tree()
    const ends = tree === undefined ? [] : borders(tree)
    if (!(error instanceof SkerryError) || error.code !== 'not-found' || ends.length === 0) throw error
    throw new SkerryError('not-found', [error.message, ...ends.map(borderText)].join('; '), { cause: error })
  }
  const nodeOfZone = (zone: string): TreeNode | undefined =>
    nodes.find(({ role, scope }) => role !== 'edge' && scope === zone)

  /** The zone that enrols what is named: the one right above it. */
  const zoneOf = (call: MemberCall, zone: string | undefined): string => {
    if (zone !== undefined) return zone
    if (call.op === 'list' || topology === undefined) return config.scope
    const parentScopeOf = (scope: string) => scope.slice(0, scope.lastIndexOf('/')) || '/'
    const name =
      call.op === 'token'
        ? call.host
        : call.op === 'claim'
          ? call.name
          : call.target.kind === 'host'
            ? call.target.host
            : undefined
    if (name !== undefined) {
      const node = nodes.find((one) => one.name === name)
      return node === undefined || node.scope === '/' ? config.scope : parentScopeOf(node.scope)
    }
    if (call.op !== 'block' && call.op !== 'allow') return config.scope
    if (call.target.kind === 'zone') return parentScopeOf(call.target.zone)
    const { site } = call.target as { readonly site: string }
    const edge = nodes.find((one) => one.site === site)
    return edge === undefined ? config.scope : parentScopeOf(edge.scope)
  }

  const send = async (call: MemberCall, { zone, signal }: AskedMember): Promise<unknown> => {
    const at = zoneOf(call, zone)
    if (at === config.scope) return act(call).catch(withBorders)
    const node = isWithin(at, config.scope) ? nodeOfZone(at) : undefined
    const tree = options.tree()
    const around = tree && borderAround(tree, at as ScopePath)
    if (node === undefined && around !== undefined) throw border(around)
    if (node === undefined) {
      const known = nodes.flatMap(({ role, scope }) => (role === 'edge' ? [] : [scope]))
      throw new SkerryError('not-found', `there is no zone ${at} below ${config.name}; ${nameHint(at, known)}`)
    }
    const end = endOfWay(at)
    if (end !== undefined) throw border(end)
    return options.ask(node.name, call, signal)
  }

  const services: MemberServices = {
    list: async (asked) => {
      if (asked.zone !== undefined) return (await send({ op: 'list' }, asked)) as readonly MemberView[]
      const inside = nodes.filter(({ role, scope }) => role === 'aggregator' && scope !== config.scope)
      const here = own().map((view) =>
        view.role === 'aggregator' && view.note === undefined && !letsIn(view.scope)
          ? { ...view, note: borderText(endOfWay(view.scope) ?? view.scope) }
          : view,
      )
      const below = await Promise.all(
        [...new Set(inside.map(({ scope }) => scope))].filter(letsIn).map((zone) =>
          send({ op: 'list' }, { ...asked, zone }).then(
            (views) => views as readonly MemberView[],
            () => [],
          ),
        ),
      )
      return [...here, ...below.flat()].toSorted(byScope)
    },
    token: async (host, asked) => (await send({ op: 'token', host }, asked)) as { name: string; token: string },
    claim: async (who, name, asked) => (await send({ op: 'claim', who, name }, asked)) as MemberView,
    block: async (target, asked) => (await send({ op: 'block', target }, asked)) as readonly MemberView[],
    allow: async (target, asked) => (await send({ op: 'allow', target }, asked)) as readonly MemberView[],
  }
  return { services, act }
}

import { nameHint, SkerryError } from '../base/index.ts'
import { type AuthorityPowers, fromHex, keyIdOf } from '../crdt/index.ts'
import { borderAround, policyKinds, type Topology, type ZonePolicy, zoneAt, zones } from '../topologies/index.ts'
import type { AuthorityServices, RenewedView, ZoneAuthorityView } from './api/index.ts'
import type { NodeConfig } from './config.ts'
import { inApiCodes } from './in-api-codes.ts'
import type { Membership, Renewed, ZoneAuthority } from './services/membership/index.ts'
import { borderText } from './views/index.ts'
import type { ZonePolicies } from './zone-policies.ts'

const inCodes = inApiCodes({
  'not-enrolled': 'not-ready',
  'unknown-zone': 'not-found',
  granted: 'conflict',
  'not-entitled': 'conflict',
  rival: 'conflict',
  'broken-succession': 'conflict',
  'not-enough-signatures': 'conflict',
})

const narrowingProblem = (kind: string, level: string): string | undefined => {
  const known = policyKinds.find((one) => one === kind)
  if (known === undefined) return `there is no kind ${kind}; ${nameHint(kind, policyKinds)}`
  return level === 'summary' && !['reports', 'metrics'].includes(kind)
    ? `no summary of ${kind} exists; use none`
    : undefined
}

const parentOf = (scope: string): string => scope.slice(0, scope.lastIndexOf('/')) || '/'

/** What becomes of a zone whose keys were granted when it gets an authority of its own. */
const movedLines = (scope: string, id: string): readonly string[] => [
  `the id ${id} is closed for ever`,
  `start the aggregator of ${scope} with an empty data folder and claim it: it makes an authority of its own`,
  `enrol each host inside ${scope} anew, with an empty data folder; what runs there runs on until then`,
]

/** What is lost with the authority of a zone, and what to do. */
const lossLines = (scope: string, id: string): readonly string[] => [
  `the id ${id} is closed for ever: nobody outside ${scope} believes it again`,
  `hosts inside ${scope} believe that id alone: enrol each anew, with an empty data folder and a token of the zone's new aggregator; what runs there runs on until then`,
  `zones inside ${scope} that were granted their keys by it are granted others; privacy zones inside stay as they are and are countersigned again`,
  `what the operators of ${scope} decided by themselves, and what it signed of its policy, is gone with its keys: state it again`,
]

const notesOf = (view: ZoneAuthority, scope: string, isPrivacy: boolean): readonly string[] => {
  if (scope === '/') return ['the root of the network grants the keys of the towers']
  if (view.succession === 'granted')
    return [
      isPrivacy
        ? `${scope} is a privacy zone whose keys the zone above grants: it was founded before zones had an authority of their own, and stays so until an operator right above ends that: skerry zones authority ${scope} --retire ${view.id.slice(0, 16)}`
        : `the zone above grants the keys of ${scope}`,
    ]
  const rival = view.rival
  return [
    `${scope} renews its keys itself: the zone above countersigns, refuses or retires them, and cannot replace them`,
    ...(rival === undefined
      ? []
      : [
          `an aggregator of ${scope} shows another authority, ${rival.id}; if the keys of ${view.id.slice(0, 16)} are lost: skerry zones authority ${scope} --retire ${view.id.slice(0, 16)}`,
          ...lossLines(scope, view.id).map((line) => `if you do: ${line}`),
        ]),
  ]
}

export interface AuthorityServicesOptions {
  readonly config: NodeConfig
  readonly membership: Membership
  readonly topology: Topology | undefined
  readonly policies: ZonePolicies
  readonly powers: AuthorityPowers
}

/** Who speaks for zones, as the API offers it. */
export const createAuthorityServices = (options: AuthorityServicesOptions): AuthorityServices => {
  const { config, membership, topology, policies, powers } = options
  const ownZone = config.role === 'edge' ? parentOf(config.scope) : config.scope

  const keyView = ({ key, host }: { readonly key: string; readonly host?: string | undefined }) => ({
    fingerprint: keyIdOf(fromHex(key), powers.hash),
    ...(host !== undefined && { host }),
  })

  const viewOf = async (scope: string): Promise<ZoneAuthorityView> => {
    const view = await membership.zoneAuthority(scope)
    const zone = topology === undefined ? undefined : zoneAt(topology, scope)
    if (view === undefined) {
      const border = topology === undefined ? undefined : borderAround(topology, scope as never)
      if (border !== undefined && border !== scope) throw new SkerryError('beyond-border', borderText(border))
      if (zone !== undefined || scope === ownZone)
        throw new SkerryError('not-ready', `${scope} has no authority that ${config.name} knows of yet`)
      const known = topology === undefined ? [] : zones(topology).map(({ path }) => path as string)
      throw new SkerryError('not-found', `${config.name} knows no zone ${scope}; ${nameHint(scope, known)}`)
    }
    return {
      scope,
      succession: view.succession,
      id: view.id,
      generation: view.generation,
      threshold: view.threshold,
      countersigned: view.isCountersigned,
      keys: view.keys.map(keyView),
      waiting: view.waiting.map(keyView),
      ...(view.rival && { rival: { id: view.rival.id, keys: view.rival.keys.map((key) => keyView({ key })) } }),
      notes: notesOf(view, scope, zone?.privacy === true),
    }
  }

  const atZone = (scope: string): void => {
    if (config.role !== 'edge' && scope === config.scope) return
    throw new SkerryError(
      'beyond-border',
      `the keys of ${scope} are changed at its own nodes, and ${config.name} is of ${config.scope}; ${borderText(scope)}`,
    )
  }

  const renewedView = async (scope: string, renewed: Renewed): Promise<RenewedView> => {
    if (renewed.kind === 'made') return { scope, outcome: 'made', generation: renewed.generation }
    const held = await membership.zoneAuthority(scope)
    const { draft, signed, needed } = renewed
    return { scope, outcome: 'draft', generation: (held?.generation ?? 0) + 1, draft, signed, needed }
  }

  return {
    show: (zone) => inCodes(() => viewOf(zone ?? ownZone)),
    renew: (zone, { add, remove, threshold }) =>
      inCodes(async () => {
        atZone(zone)
        const change = { add, remove, ...(threshold !== undefined && { threshold }) }
        return renewedView(zone, await membership.renewZone(change))
      }),
    sign: (zone, draft) =>
      inCodes(async () => {
        atZone(zone)
        return renewedView(zone, await membership.signZone(draft))
      }),
    narrow: (zone, levels) =>
      inCodes(async () => {
        if (config.role === 'edge' || zone === '/' || parentOf(zone) !== config.scope)
          throw new SkerryError(
            'beyond-border',
            `${zone} is narrowed by the zone right above, ${parentOf(zone)}, and ${config.name} is of ${config.scope}`,
          )
        const wrong = Object.entries(levels)
          .map(([kind, level]) => narrowingProblem(kind, level))
          .find((problem) => problem !== undefined)
        if (wrong !== undefined) throw new SkerryError('invalid-input', wrong)
        const narrowing = Object.fromEntries(
          Object.entries({ ...policies.narrowingOf(zone), ...levels }).filter(([, level]) => level !== 'own'),
        ) as Partial<ZonePolicy>
        await membership.narrow(zone, narrowing)
        return { scope: zone, narrowing: narrowing as Record<string, string> }
      }),
    retire: (zone, id) =>
      inCodes(async () => {
        if (config.role === 'edge' || parentOf(zone) !== config.scope)
          throw new SkerryError(
            'beyond-border',
            `the authority of ${zone} is retired by the zone right above, ${parentOf(zone)}, and ${config.name} is of ${config.scope}`,
          )
        const held = await viewOf(zone)
        await membership.retire(zone, id)
        const lines = held.succession === 'own' ? lossLines : movedLines
        return { scope: zone, id: held.id, lost: lines(zone, held.id) }
      }),
  }
}

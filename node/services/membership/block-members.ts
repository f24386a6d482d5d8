import { nameHint, SkerryError } from '../../../base/index.ts'
import { type BlockList, blockListKind, isBlockListSigned, type SignedRecord, sealRecord } from '../../../crdt/index.ts'
import type { BlockTarget } from './membership.ts'
import { type BlockChange, blockId, maxBlocked, nextBlocks } from './next-blocks.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

/** What stands on a list for a target, and the hosts it is about. */
interface Named {
  readonly change: BlockChange
  readonly hosts: readonly string[]
  readonly words: string
}

const unknown = (kind: 'host' | 'site' | 'zone', given: string, known: readonly string[], parent: string) =>
  new SkerryError(`unknown-${kind}`, `${parent} has no ${kind} ${given} below it; ${nameHint(given, known)}`)

const nameOf = (scope: string) => scope.slice(scope.lastIndexOf('/') + 1)

/** @throws {SkerryError} `unknown-host`, `unknown-site`, `unknown-zone`, `not-enrolled` */
const nameTarget = ({ register, keyIdOf, options }: ZoneDesk, target: BlockTarget): Named => {
  const parent = options.self.name
  if ('host' in target) {
    const member = register.member(target.host)
    if (member === undefined)
      throw unknown(
        'host',
        target.host,
        register.members().map(({ host }) => host),
        parent,
      )
    if (member.key === null)
      throw new SkerryError('not-enrolled', `${target.host} has no key yet: there is nothing to block or allow`)
    return { change: { keys: [keyIdOf(member.key)], sites: [] }, hosts: [target.host], words: target.host }
  }
  const kind = 'site' in target ? 'site' : 'zone'
  const given = 'site' in target ? target.site : target.zone
  const known = register.scopes().filter((one) => one.kind === kind)
  const found = known.find(({ scope }) => scope === given || (kind === 'site' && nameOf(scope) === given))
  if (found === undefined)
    throw unknown(
      kind,
      given,
      known.map(({ scope }) => (kind === 'site' ? nameOf(scope) : scope)),
      parent,
    )
  const members = register.membersOf(found.scope).filter(({ scope }) => scope === found.scope)
  // A zone's id on the list keeps out what is not enrolled yet; its aggregators' keys are what others judge by.
  const keys = kind === 'zone' ? members.flatMap(({ key }) => (key === null ? [] : [keyIdOf(key)])) : []
  return { change: { keys, sites: [blockId(found.id)] }, hosts: members.map(({ host }) => host), words: found.scope }
}

/** Signs the list of this zone again where a key signed it that left the zone: who comes new would not believe it. */
export const keepBlocks = async (desk: ZoneDesk, { networkId, owner, trust }: Authority): Promise<void> => {
  const { book, self, powers } = desk.options
  const own = trust.blockLists.filter(({ body }) => body.issuer === owner.id)
  if (own.every((list) => isBlockListSigned(list, trust, powers))) return
  const next = nextBlocks({ network: networkId, issuer: owner.id }, own, { isAgain: true })
  if (typeof next === 'object') await book.take([sealRecord(blockListKind, next, [self.signer], powers).bytes])
}

/** Why hosts stay cut off though what was named is on no list of this zone. */
const otherwiseWords = (
  { register, keyIdOf, options: { self } }: ZoneDesk,
  own: readonly SignedRecord<BlockList>[],
  words: string,
  still: readonly string[],
): string => {
  const members = still.flatMap((host) => register.member(host) ?? [])
  const scope = members
    .flatMap((member) => register.scope(member.scope) ?? [])
    .find(({ id }) => own.some(({ body }) => body.sites.includes(blockId(id))))
  if (scope !== undefined) return `${words} is blocked with all of ${scope.scope}: allow that`
  const alone = members.find(({ key }) => key !== null && own.some(({ body }) => body.keys.includes(keyIdOf(key))))
  if (alone !== undefined) return `of ${words} ${alone.host} is blocked by itself: allow that`
  return `${words} is blocked by a scope around ${self.scope}: allow it there`
}

/**
 * Signs the next list of this zone with a target on it, or without it.
 * @returns its number; that of the list there is when it says so already
 * @throws {SkerryError} as `nameTarget`, and `list-full`, and `blocked-otherwise` when allowing it would change nothing
 */
export const changeBlocks = async (
  desk: ZoneDesk,
  { networkId, owner, trust }: Authority,
  target: BlockTarget,
  isBlocked: boolean,
): Promise<number> => {
  const { book, self, powers } = desk.options
  const { change, hosts, words } = nameTarget(desk, target)
  const own = trust.blockLists.filter(({ body }) => body.issuer === owner.id)
  const next = nextBlocks(
    { network: networkId, issuer: owner.id },
    own,
    isBlocked ? { add: change } : { remove: change },
  )
  if (next === 'list-full')
    throw new SkerryError(
      'list-full',
      `the block list of ${self.scope} holds ${maxBlocked}: allow what is gone for good`,
    )
  if (next !== undefined) {
    const [result] = await book.take([sealRecord(blockListKind, next, [self.signer], powers).bytes])
    if (result?.kind === 'refused')
      throw new SkerryError(result.refusal.code, `the block list of ${self.scope}: ${result.refusal.message}`)
  }
  // A token that is out would let another key in as the host.
  const tokens = isBlocked ? hosts.filter((host) => desk.register.token(host)?.usedBy === null) : []
  if (tokens.length > 0) await desk.register.save({ tokens: tokens.map((host) => ({ host, hash: null })) })
  if (!isBlocked && next === undefined) {
    const still = hosts.filter(desk.isCutOff)
    if (still.length > 0) throw new SkerryError('blocked-otherwise', otherwiseWords(desk, own, words, still))
  }
  return next?.number ?? Math.max(0, ...own.map(({ body }) => body.number))
}

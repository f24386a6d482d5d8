import { errorText, nameHint, SkerryError, type Timer } from '../../../base/index.ts'
import { beaconKind, sealRecord, staleForMs } from '../../../crdt/index.ts'
import { answerCall } from './admit.ts'
import { aloneAfterMs, createBeginGate } from './begin-gate.ts'
import { changeBlocks, keepBlocks } from './block-members.ts'
import { bringLanesUp, writePeers, writeScope } from './bring-lanes-up.ts'
import { bringOwnLaneUp } from './bring-own-lane-up.ts'
import { createChildDesk } from './child-desk.ts'
import { createChildStandings } from './child-standings.ts'
import { delegateInner } from './delegate-inner.ts'
import { type Enrolled, enrol, grantZone, renewOwn } from './enrol.ts'
import { followLane } from './follow-lane.ts'
import { type JoinAnswer, joinFormat } from './join-messages.ts'
import { formatToken, makeToken, tokenHash } from './join-token.ts'
import { narrowZone, retireAuthority, viewAuthority } from './lead-own-zone.ts'
import { createRegister } from './member-register.ts'
import type { BlockTarget, Membership, MembershipEvent, MembershipOptions } from './membership.ts'
import { beaconLeap, nextBeacon } from './next-beacon.ts'
import { renewOwnZone, signOwnZone } from './renew-own-zone.ts'
import { type Caller, createUnclaimed } from './unclaimed.ts'
import { viewAll, viewMember } from './view-members.ts'
import { type Authority, createZoneDesk } from './zone-desk.ts'

const defaultBeaconEveryMs = 10 * 60_000
const defaultBeaconFreshForMs = 60 * 60_000
/** Digits of a fingerprint that are enough to name a caller: nobody finds another key that shares them. */
const shortestFingerprint = 16

/** Answers by what was said: `admitted`, `waiting` or the code of a refusal. */
const wordOf = (answer: JoinAnswer): string => (answer.kind === 'refused' ? answer.code : answer.kind)

export const createMembership = (options: MembershipOptions): Membership => {
  const { self, book, store, clock, random, powers, log, beacon } = options
  const { beaconEveryMs = defaultBeaconEveryMs, beaconFreshForMs = defaultBeaconFreshForMs } = options
  const register = createRegister(store)
  const desk = createZoneDesk(options, register)
  const child = createChildDesk(options, register)
  const unclaimed = createUnclaimed()
  const listeners = new Set<(event: MembershipEvent) => void>()
  const calls = new Map<string, { atMs: number; address: string | undefined }>()
  const answers = new Map<string, number>()
  const standings = createChildStandings(desk)
  const cutNow = new Set<string>()
  let queue: Promise<unknown> = Promise.resolve()
  let isRunning = false
  /** The id of this zone's key list under which what is below it was brought up. */
  let ledUpAs: string | undefined
  let heardMs = clock.monotonicMs()
  let timer: Timer | undefined
  let stopListening = () => {}
  const failed = (error: unknown) => log.warn('siblings could not be told to sites', { error: errorText(error) })

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = queue.then(work)
    queue = done.catch(() => {})
    return done
  }

  const waitsText = `${self.name} waits ${aloneAfterMs / 1000} s to hear of other aggregators of ${self.scope}: try again`
  const gate = createBeginGate(options, register, () => {
    inTurn(() => leadUp(false)).catch((error: unknown) => log.warn('lanes were not begun', { error: errorText(error) }))
  })

  /** What a person asks for waits for that, not in the queue. */
  const whenBegun = async (): Promise<void> => {
    for (let owner = desk.authority()?.owner; owner !== undefined && isRunning && !gate.mayBegin(owner); ) {
      gate.wait()
      await gate.changed()
      owner = desk.authority()?.owner
    }
  }

  const tell = (cut: readonly string[]) => {
    if (cut.length > 0) for (const listener of [...listeners]) listener({ cut })
  }

  /** Peers that may not stay linked: blocked ones, and hosts the topology names no more or elsewhere. */
  const cutOff = (): readonly string[] => {
    const children = register
      .members()
      .flatMap(({ host, key }) =>
        key !== null && (desk.isCutOff(host) || desk.place(host) === undefined) ? [key] : [],
      )
    const parent = child.blockedParent()
    return parent === undefined ? children : [...children, parent]
  }

  /** Tells of those that were not cut off before. */
  const recheck = (): readonly string[] => {
    const now = cutOff()
    const fresh = now.filter((key) => !cutNow.has(key))
    cutNow.clear()
    for (const key of now) cutNow.add(key)
    tell(fresh)
    return fresh
  }

  /** Once this node's own key is on the list of its zone: what is below it gets its lanes and lists. */
  const leadUp = async (isAnew: boolean): Promise<void> => {
    const authority = desk.authority()
    if (authority === undefined || self.role === 'edge' || (ledUpAs === authority.owner.list && !isAnew)) return
    if (!gate.mayBegin(authority.owner)) return gate.wait()
    const places = new Map(register.members().map(({ host, scope }) => [host, scope]))
    await renewOwn(desk, authority)
    await keepBlocks(desk, authority)
    await bringLanesUp(desk, authority)
    if (options.ownZone !== undefined) await bringOwnLaneUp(desk, authority, options.ownZone)
    for (const { kind, scope } of register.scopes()) if (kind === 'zone') await grantZone(desk, authority, scope)
    ledUpAs = authority.owner.list
    const moved = register.members().flatMap(({ host, scope, key }) => {
      const before = places.get(host)
      return key !== null && before !== undefined && before !== scope ? [key] : []
    })
    tell(moved)
    recheck()
  }

  /** Sites learn of the siblings they have now. */
  const keepPeers = async (): Promise<void> => {
    const authority = self.role === 'edge' ? undefined : desk.authority()
    if (authority !== undefined) await writePeers(desk, authority)
  }

  /** What zones right below renewed themselves is signed beside, and their aggregators get what they need. */
  const followZones = async (): Promise<void> => {
    const authority = self.role === 'edge' ? undefined : desk.authority()
    if (authority === undefined) return
    for (const { kind, id, scope } of register.scopes())
      if (kind === 'zone' && book.owner(id)?.succession === 'own') await grantZone(desk, authority, scope)
  }

  const authorityOrRefuse = async (): Promise<Authority> => {
    await leadUp(false)
    const authority = desk.authority()
    if (authority === undefined)
      throw new SkerryError(
        'not-enrolled',
        `${self.name} is no member of the network yet: its parent has to enrol it first`,
      )
    if (gate.mayBegin(authority.owner)) return authority
    throw new SkerryError('not-ready', waitsText)
  }

  const expectedOrRefuse = (host: string) => {
    const place = desk.place(host)
    if (place !== undefined) return place
    const known = desk.expectedScopes().flatMap(({ hosts }) => hosts.map(({ name }) => name))
    throw new SkerryError('unknown-host', `${self.name} expects no host ${host}; ${nameHint(host, known)}`)
  }

  const refuseBlocked = (host: string) => {
    if (desk.isCutOff(host)) throw new SkerryError('blocked', `${host} is blocked: allow it first`)
  }

  const callerOrRefuse = (given: string): Caller => {
    const found = unclaimed
      .list()
      .filter(
        ({ keyId, hostId }) => hostId === given || (given.length >= shortestFingerprint && keyId.startsWith(given)),
      )
    const [caller] = found
    if (caller === undefined)
      throw new SkerryError(
        'unknown-caller',
        `nobody that waits at ${self.name} has the fingerprint or host-id ${given}`,
      )
    if (found.length > 1)
      throw new SkerryError(
        'ambiguous-caller',
        `${found.length} callers at ${self.name} have ${given}: name one by its fingerprint`,
        { details: { fingerprints: found.map(({ keyId }) => keyId) } },
      )
    return caller
  }

  /** What the change of a host's key means for links. */
  const replaced = ({ replaced: key }: Pick<Enrolled, 'replaced'>) => {
    if (key === undefined) return
    standings.forget(key)
    tell([key])
  }

  const signBeacon = async (leap = 0): Promise<void> => {
    const trust = book.trust()
    if (beacon === undefined || trust === undefined || !isRunning) return
    const authority = desk.authority()
    if (authority !== undefined) await renewOwn(desk, authority)
    const body = nextBeacon(trust, book.beacon(), options.trustedNowMs(), leap)
    const [result] = await book.take([sealRecord(beaconKind, body, [beacon], powers).bytes])
    if (result?.kind === 'refused') log.warn('a beacon does not count', { why: result.refusal.message })
  }

  const beat = () => {
    timer = clock.setTimer(beaconEveryMs, () => {
      inTurn(() => signBeacon()).catch((error: unknown) =>
        log.warn('a beacon was not signed', { error: errorText(error) }),
      )
      beat()
    })
  }

  return {
    start: () =>
      inTurn(async () => {
        const { damaged } = await register.load()
        for (const key of damaged) log.warn('a record of membership is damaged: its lane is read instead', { key })
        isRunning = true
        stopListening = book.onChange((records) => {
          if (records.some(({ kind }) => kind === 'beacon')) heardMs = clock.monotonicMs()
          if (records.some(({ kind }) => kind === 'block-list' || kind === 'key-list')) recheck()
          if (records.some(({ kind }) => kind === 'block-list')) void inTurn(keepPeers).catch(failed)
          if (records.some(({ kind }) => kind === 'key-list'))
            inTurn(async () => {
              await leadUp(false)
              await followZones()
              await delegateInner(desk)
            }).catch((error: unknown) => log.warn('a new key list was not followed', { error: errorText(error) }))
        })
        await leadUp(false)
        await delegateInner(desk)
        for (const key of cutOff()) cutNow.add(key)
        if (beacon === undefined) return
        await signBeacon(Math.floor(random.fork('beacon').unit() * beaconLeap))
        beat()
      }),
    stop: async () => {
      isRunning = false
      timer?.cancel()
      gate.stop()
      stopListening()
      await queue
    },
    judge: (hello, peerKey, address) =>
      inTurn(async () => {
        await leadUp(false)
        const authority = desk.authority()
        if (authority !== undefined && !gate.mayBegin(authority.owner))
          return { v: joinFormat, kind: 'refused', code: 'not-ready', message: waitsText }
        const knownAs = register.hostOfKey(peerKey)
        const judged = await answerCall(desk, unclaimed, { hello, key: peerKey, address })
        const host = register.hostOfKey(peerKey)
        if (host !== undefined) calls.set(host, { atMs: clock.monotonicMs(), address })
        const word = wordOf(judged.answer)
        answers.set(word, (answers.get(word) ?? 0) + 1)
        replaced(judged)
        if (host !== knownAs) await keepPeers()
        return judged.answer
      }),
    metFellow: () =>
      inTurn(async () => {
        gate.met()
        await leadUp(false)
      }),
    follow: (scope) =>
      inTurn(async () => {
        if (desk.authority() === undefined || !(await followLane(desk, scope))) return
        await keepPeers()
      }),
    hello: async (parentKey) => child.hello(parentKey),
    accept: (answer, parentKey) =>
      inTurn(async () => {
        const accepted = await child.accept(answer, parentKey)
        if (accepted.ok) await leadUp(false)
        return accepted
      }),
    // A key that came onto its zone's list gets a certificate that counts there.
    renewDue: (nowMs) => child.renewDue(nowMs) || child.lacksCertificate(),
    standingOf: standings.of,
    outOfDate: () => (desk.authority() === undefined ? [] : standings.outOfDate()),
    memberOf: (peerKey) => {
      const host = register.hostOfKey(peerKey)
      const place = host === undefined ? undefined : desk.place(host)
      if (host === undefined || place === undefined) return undefined
      return { name: host, role: place.role, scope: place.scope, site: place.role === 'edge' ? place.id : null }
    },
    keyOf: (host) => register.member(host)?.key ?? undefined,
    siteId: (scope) => {
      const record = register.scope(scope)
      return record?.kind === 'site' ? record.id : undefined
    },
    depositsOf: (scope) => {
      const [site, authority] = [register.scope(scope), desk.authority()]
      const chosen = desk.siblings.of(scope)
      if (site?.kind !== 'site' || authority === undefined || chosen === undefined) return undefined
      const readers = register.membersOf(scope).flatMap(({ host, scope: now, key, sealing }) => {
        if (now !== scope || key === null || typeof sealing !== 'string' || desk.isCutOff(host)) return []
        return desk.place(host) === undefined ? [] : [{ key, sealing }]
      })
      return { site: site.id, zone: authority.owner.id, readers, siblings: chosen.map(({ key }) => key) }
    },
    hosts: () => viewAll(desk, unclaimed, calls),
    token: async (host) => {
      await whenBegun()
      return inTurn(async () => {
        await authorityOrRefuse()
        expectedOrRefuse(host)
        refuseBlocked(host)
        const token = makeToken(self.signer.keyId, host, random)
        await register.save({ tokens: [{ host, hash: tokenHash(token, powers.hash), usedBy: null }] })
        return { token: formatToken(token) }
      })
    },
    claim: async (given, host) => {
      await whenBegun()
      return inTurn(async () => {
        const authority = await authorityOrRefuse()
        const caller = callerOrRefuse(given)
        const place = expectedOrRefuse(host)
        refuseBlocked(host)
        if (caller.scope !== place.scope || caller.role !== place.role)
          throw new SkerryError(
            'wrong-place',
            `the caller was set up as ${caller.role} of ${caller.scope}, ${host} is ${place.role} of ${place.scope}`,
          )
        const { key, hostId, address, calledMs } = caller
        const claimed = {
          host,
          place,
          key,
          hostId,
          session: undefined,
          tokenHash: undefined,
          sealing: undefined,
          firstList: undefined,
          shownNumber: 0,
        }
        const enrolled = await enrol(desk, authority, claimed)
        unclaimed.remove(key)
        calls.set(host, { atMs: calledMs, address })
        replaced(enrolled)
        await keepPeers()
        return viewMember(enrolled.member, desk, calls)
      })
    },
    block: (target: BlockTarget) =>
      inTurn(async () => {
        const authority = await authorityOrRefuse()
        const before = new Set(cutOff())
        const number = await changeBlocks(desk, authority, target, true)
        await keepPeers()
        return { number, cut: cutOff().filter((key) => !before.has(key)) }
      }),
    allow: (target) =>
      inTurn(async () => {
        const number = await changeBlocks(desk, await authorityOrRefuse(), target, false)
        await keepPeers()
        return { number }
      }),
    zoneAuthority: (scope) => viewAuthority(desk, scope),
    renewZone: (change) => inTurn(() => renewOwnZone(desk, change)),
    signZone: (draft) => inTurn(() => signOwnZone(desk, draft)),
    retire: (scope, id) =>
      inTurn(async () => {
        const authority = await authorityOrRefuse()
        await retireAuthority(desk, authority, scope, id)
        await writeScope(desk, authority, scope)
        // They come back at once, and show what they have.
        tell(register.membersOf(scope).flatMap((member) => (member.scope === scope ? (member.key ?? []) : [])))
      }),
    narrow: (scope, levels) => inTurn(async () => narrowZone(desk, await authorityOrRefuse(), scope, levels)),
    refresh: () => inTurn(() => leadUp(true)),
    authorityStaleForMs: () => staleForMs(heardMs, clock.monotonicMs(), beaconFreshForMs),
    counts: () => ({ dropped: unclaimed.dropped(), answers: Object.fromEntries(answers) }),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

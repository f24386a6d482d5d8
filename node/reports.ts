import * as z from 'zod'
import { type Clock, type Log, SkerryError } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type Certificate,
  certificateKind,
  deploymentVersionKind,
  judgeCertificate,
  keyListKind,
  mayReplace,
  openRollUp,
  openSnapshot,
  openZoneView,
  type ReadEntry,
  type ReadRecord,
  type ReportTurn,
  type RollUp,
  readRecord,
  type Signer,
  sealSnapshot,
  toHex,
  type ZoneWish,
} from '../crdt/index.ts'
import { joinLastLines, type LastLines, lastLinesHash, lastLinesSchema } from './last-lines.ts'
import { createReportHearer } from './report-stream.ts'
import type { HostReport } from './services/deployments/index.ts'

/** What one report carries of a host: what it signed, and how those on the way know it. Ages in milliseconds. */
export interface CarriedHost {
  /** As signed by the host. */
  readonly snapshot: Uint8Array
  /** The host's certificate, so that who is above can judge the key. */
  readonly certificate: Uint8Array
  /** Of the snapshot, 64 hexadecimal digits. */
  readonly hash: string
  /** Those it speaks of, which go on where logs do. @default none came along */
  readonly lines?: LastLines
  readonly report: HostReport
}

/** What one report carries of a zone that lets out counts alone. */
export interface CarriedZone {
  readonly scope: string
  readonly bytes: Uint8Array
  readonly rollUp: RollUp
  /** What it exports of its own lane, as the zone signed it, and read. */
  readonly view?: Uint8Array
  readonly wishes: readonly (ZoneWish & { readonly read: ReadEntry })[]
  readonly heardAtMs: number
}

const maxHosts = 100_000
/** Refusals that are logged, by child and kind. */
const maxNoted = 10_000
const base64 = (mostBytes: number) => z.string().max(Math.ceil(mostBytes / 3) * 4 + 4)
const messageSchema = z.object({
  v: z.number().int(),
  /** True in the first message of a stream: numbers begin anew. */
  begin: z.boolean().optional(),
  /** Per number one byte: the seconds since that host was last heard, nothing else of it having changed; 255 is no news. */
  still: base64(maxHosts).optional(),
  hosts: z
    .array(
      z.object({
        /** Its number in this stream. */
        n: z.number().int().min(0).max(maxHosts).optional(),
        snapshot: base64(1_100_000),
        certificate: base64(8_192),
        ageMs: z.number().min(0),
        /** Since it signed the snapshot. */
        statusAgeMs: z.number().min(0).optional(),
        link: z.enum(['up', 'down']),
        linkForMs: z.number().min(0),
        intendedOrder: z.number().int().min(0).optional(),
        lines: lastLinesSchema.optional(),
      }),
    )
    .max(maxHosts),
  /** Key lists of zones further down, so that who is above can judge what they sign, and versions that zones decided for. */
  records: z.array(base64(160_000)).max(1_000).optional(),
  zones: z
    .array(
      z.object({
        scope: z.string().max(1_024),
        rollUp: base64(1_100_000),
        view: base64(1_100_000).optional(),
        ageMs: z.number().min(0),
      }),
    )
    .max(10_000),
})

type HostMessage = z.infer<typeof messageSchema>['hosts'][number]

/** What a host says of itself: the part of a HostReport that only it can know. */
const payloadSchema = z.object({
  v: z.literal(1),
  site: z.string().max(63),
  host: z.string().max(63),
  acceptedOrder: z.number().int().min(0).optional(),
  refusals: z
    .array(z.object({ application: z.string(), code: z.string(), message: z.string(), version: z.string().optional() }))
    .optional(),
  ingressAddress: z.string().max(255).optional(),
  status: z.unknown().optional(),
  /** Of the last lines of failing containers, which travel beside it: 64 hexadecimal digits. */
  linesHash: z.string().max(64).optional(),
})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (encoded: string) => new Uint8Array(Buffer.from(encoded, 'base64'))

/** A host's own report as it signs it. @param linesHash of the last lines that were taken out of it */
export const signReport = (
  report: HostReport,
  turn: { readonly networkId: string; readonly session: number; readonly seq: number },
  signer: Signer,
  linesHash: string | undefined,
): Uint8Array => {
  const { site, host, acceptedOrder, refusals, ingressAddress, status } = report
  const said = { v: 1, site, host, acceptedOrder, refusals, ingressAddress, status, linesHash }
  return sealSnapshot({ ...turn, payload: Buffer.from(JSON.stringify(said)) }, signer)
}

/** The format of messages on this stream. */
const messageFormat = 2

export interface ToldHosts {
  /** Whether the stream begins with this. */
  readonly isFirst: boolean
  /** Those of which something changed. */
  readonly changed: readonly { readonly n: number; readonly host: Omit<CarriedHost, 'hash'> }[]
  /** By number the seconds since all others were heard. */
  readonly ages: Uint8Array
}

export const reportMessage = (
  { isFirst, changed, ages }: ToldHosts,
  zones: readonly Pick<CarriedZone, 'scope' | 'bytes' | 'view' | 'heardAtMs'>[],
  records: readonly Uint8Array[],
  nowMs: number,
): unknown => ({
  v: messageFormat,
  ...(isFirst && { begin: true }),
  ...(ages.length > 0 && { still: text(ages) }),
  ...(records.length > 0 && { records: records.map(text) }),
  hosts: changed.map(({ n, host: { snapshot, certificate, lines, report } }) => ({
    n,
    snapshot: text(snapshot),
    certificate: text(certificate),
    ageMs: report.receivedAgeMs ?? 0,
    ...(report.statusAgeMs !== undefined && { statusAgeMs: report.statusAgeMs }),
    link: report.link === 'up' ? 'up' : 'down',
    linkForMs: report.linkForMs,
    ...(report.intendedOrder !== undefined && { intendedOrder: report.intendedOrder }),
    ...(lines && { lines }),
  })),
  zones: zones.map(({ scope, bytes, view, heardAtMs }) => ({
    scope,
    rollUp: text(bytes),
    ...(view && { view: text(view) }),
    ageMs: Math.max(0, nowMs - heardAtMs),
  })),
})

/** Undefined for what is in no known form: who signed it means harm, or is a newer program. */
const readPayload = (
  payload: Uint8Array,
): (Pick<HostReport, 'site' | 'host' | 'acceptedOrder' | 'status'> & { readonly linesHash?: string }) | undefined => {
  try {
    const said = payloadSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
    if (!said.success) return undefined
    const { v: _, ...rest } = said.data
    return rest as Pick<HostReport, 'site' | 'host' | 'acceptedOrder' | 'status'> & { readonly linesHash?: string }
  } catch {
    return undefined
  }
}

export interface ReportReaderOptions {
  readonly book: Book
  readonly powers: AuthorityPowers
  readonly clock: Clock
  readonly log: Log
  /** A direct child by its key, where it is an edge, and the session it was given when it was admitted. */
  readonly hostOf: (peerKey: string) => { readonly name: string; readonly session: number } | undefined
}

/** A host of which nothing changed but that it was heard again. */
export interface StillHost {
  readonly node: string
  readonly ageMs: number
}

export interface ReadReports {
  readonly still: readonly StillHost[]
  readonly hosts: readonly CarriedHost[]
  readonly zones: readonly CarriedZone[]
}

/** Judges what a child reports: every host's word by its own signature, every zone's counts by its owner's. */
export const createReportReader = ({ book, powers, clock, log, hostOf }: ReportReaderOptions) => {
  const turns = new Map<string, ReportTurn>()
  /** What was read last of each host, with its text: most reports repeat what most hosts said before. */
  const last = new Map<string, { readonly text: string; readonly carried: CarriedHost }>()
  /** The certificate that a host showed last, by its name. */
  const certificateOf = new Map<string, string>()
  const hearers = new Map<string, ReturnType<typeof createReportHearer>>()
  const noted = new Set<string>()
  const refuse = (child: string, code: string, why: string): undefined => {
    const key = `${child} ${code}`
    if (noted.has(key) || noted.size > maxNoted) return undefined
    noted.add(key)
    log.warn('a report was refused; more of this kind are not logged', { child, code, why })
    return undefined
  }

  /** The key a certificate vouches for, or why it is not to be believed. */
  const judge = (
    read: ReadRecord<Certificate>,
  ): { readonly key: string; readonly host: string | undefined } | string => {
    if (!read.ok) return read.refusal.code
    const trust = book.trust()
    if (trust === undefined) return 'unknown-issuer'
    const judged = judgeCertificate(read.record, trust, book.highestNumbers(), powers)
    // Of a zone inside a zone the issuer may be unknown here: then the zone in between, which does know it, vouches.
    if (!judged.ok && judged.refusal.code !== 'unknown-issuer') return judged.refusal.code
    if (judged.ok && judged.standing.isBlocked) return 'blocked'
    return { key: read.record.body.key, host: read.record.body.host }
  }

  /** By the text of the certificate: what was read stays, and what it comes to until the book changes. */
  const certificates = new Map<string, { readonly read: ReadRecord<Certificate>; found?: ReturnType<typeof judge> }>()
  book.onChange(() => {
    for (const one of certificates.values()) delete one.found
  })
  const vouched = (encoded: string): ReturnType<typeof judge> => {
    const known = certificates.get(encoded) ?? { read: readRecord(certificateKind, bytesOf(encoded), powers) }
    known.found ??= judge(known.read)
    if (certificates.size >= maxHosts) certificates.clear()
    certificates.set(encoded, known)
    return known.found
  }

  /** What a host signed, once it is believed. */
  const openHost = (
    child: string,
    peerKey: string,
    { snapshot: encoded, lines, certificate: vouching }: HostMessage,
  ): CarriedHost | undefined => {
    const who = vouched(vouching)
    if (typeof who === 'string') return refuse(child, who, 'the certificate of a host is not to be believed')
    const direct = hostOf(peerKey)
    if (direct !== undefined && who.key !== peerKey)
      return refuse(child, 'wrong-key', 'a host reports in the name of another key')
    const snapshot = bytesOf(encoded)
    const opened = openSnapshot(snapshot, { networkId: book.networkId() ?? '', key: who.key }, powers)
    if (!opened.ok) return refuse(child, opened.refusal.code, opened.refusal.message)
    const held = turns.get(who.key)
    const may = held?.hash === opened.snapshot.hash || mayReplace(held, opened.snapshot, direct?.session)
    if (may !== true && !may.ok) return refuse(child, may.refusal.code, may.refusal.message)
    const said = readPayload(opened.snapshot.payload)
    const name = direct?.name ?? who.host
    if (said === undefined || (name !== undefined && said.host !== name))
      return refuse(child, 'bad-report', 'what a host signed is in no known form, or in the name of another')
    turns.set(who.key, opened.snapshot)
    const { linesHash, ...report } = said
    // Lines that are not those the host signed for are nobody's.
    const isOwn = lines !== undefined && linesHash === lastLinesHash(lines, powers.hash)
    const status = isOwn && report.status !== undefined ? joinLastLines(report.status, lines.lines) : report.status
    return {
      snapshot,
      certificate: bytesOf(vouching),
      hash: opened.snapshot.hash,
      ...(isOwn && { lines }),
      report: { ...report, ...(status && { status }), node: said.host, link: 'up', linkForMs: 0 },
    }
  }

  const readHost = (child: string, peerKey: string, one: HostMessage): CarriedHost | undefined => {
    const before = last.get(one.certificate)
    const carried = before?.text === one.snapshot ? before.carried : openHost(child, peerKey, one)
    if (carried === undefined) return undefined
    last.set(one.certificate, { text: one.snapshot, carried })
    const shown = certificateOf.get(carried.report.node)
    // One that was renewed, or is of a host that was replaced, is not shown again.
    if (shown !== undefined && shown !== one.certificate) for (const known of [last, certificates]) known.delete(shown)
    certificateOf.set(carried.report.node, one.certificate)
    const { link, linkForMs, ageMs: receivedAgeMs, statusAgeMs = receivedAgeMs, intendedOrder } = one
    const known = { link, linkForMs, receivedAgeMs, statusAgeMs, ...(intendedOrder !== undefined && { intendedOrder }) }
    return { ...carried, report: { ...carried.report, ...known } }
  }

  const readZone = (child: string, one: z.infer<typeof messageSchema>['zones'][number]): CarriedZone | undefined => {
    const owner = book.ownerAt(one.scope, 'zone')
    if (owner === undefined) return undefined
    const bytes = bytesOf(one.rollUp)
    const place = {
      networkId: book.networkId() ?? '',
      zone: owner.id,
      generation: owner.generation,
      keys: new Set([...owner.keys.values()].map(toHex)),
    }
    const opened = openRollUp(bytes, place, powers)
    if (!opened.ok) {
      refuse(child, opened.refusal.code, opened.refusal.message)
      return undefined
    }
    const carried = { scope: one.scope, bytes, rollUp: opened.rollUp, heardAtMs: clock.monotonicMs() - one.ageMs }
    if (one.view === undefined) return { ...carried, wishes: [] }
    const view = bytesOf(one.view)
    const exported = openZoneView(view, place, powers)
    if (exported.ok) return { ...carried, view, wishes: exported.wishes }
    refuse(child, exported.refusal.code, exported.refusal.message)
    return { ...carried, wishes: [] }
  }

  /** Key lists, and versions that operators of a zone decided for: a child hands up nothing else. */
  const takeRecords = async (child: string, records: readonly Uint8Array[]): Promise<void> => {
    const taken = records.filter(
      (bytes) => readRecord(keyListKind, bytes, powers).ok || readRecord(deploymentVersionKind, bytes, powers).ok,
    )
    for (const one of await book.take(taken))
      if (one.kind === 'refused') refuse(child, one.refusal.code, one.refusal.message)
  }

  return {
    /** @throws {SkerryError} `bad-message`, `newer-format` when the whole of it is in no known form */
    read: (child: string, peerKey: string, value: unknown): ReadReports => {
      const read = messageSchema.safeParse(value)
      if (!read.success) throw new SkerryError('bad-message', 'the reports of a child are in no known form')
      if (read.data.v > messageFormat)
        throw new SkerryError('newer-format', `reports of format ${read.data.v}: update this node to read them`)
      const records = read.data.records?.map(bytesOf) ?? []
      // What they vouch for is judged by the next report at the latest.
      if (records.length > 0) void takeRecords(child, records)
      const hearer = hearers.get(child) ?? createReportHearer()
      hearers.set(child, hearer)
      if (read.data.begin) hearer.reset()
      const hosts = read.data.hosts.flatMap((one) => {
        const host = readHost(child, peerKey, one)
        if (host === undefined) return []
        if (one.n !== undefined) hearer.named(one.n, host.report.node)
        return [host]
      })
      return {
        hosts,
        still: read.data.still === undefined ? [] : hearer.still(bytesOf(read.data.still)),
        zones: read.data.zones.flatMap((one) => readZone(child, one) ?? []),
      }
    },
  }
}

export type ReportReader = ReturnType<typeof createReportReader>

import type { Day } from './plan.ts'

/** All that was seen of one run, as plain data: a report is made of it and of nothing else. Times from its beginning. */
export interface WeekRecord {
  readonly network: string
  readonly topologyFile: string
  /** The scenario file as it was named; undefined for the built-in week. */
  readonly scenarioFile: string | undefined
  readonly plan: string
  readonly seed: number
  readonly days: readonly Day[]
  readonly leftOut: readonly string[]
  /** In the order of the tree. */
  readonly zones: readonly ZoneRow[]
  readonly sites: readonly SiteRow[]
  readonly nodes: number
  /** How long it took until all nodes were up and the first version ran everywhere. */
  readonly preparedMs: number
  /** From the first step to the end. */
  readonly tookMs: number
  /** When nothing more was done: all was healed, and everything had to come to be as wanted. */
  readonly healedMs: number
  /** When everything was as wanted after that; undefined when it never was. */
  readonly convergedMs: number | undefined
  /** How long nothing was allowed to move at the end; 0 when it did not come to that. */
  readonly quietMs: number
  readonly steps: readonly DoneStep[]
  readonly wanted: readonly { readonly atMs: number; readonly version: string }[]
  /** Share of sites that run the wanted version in full, from 0 to 1: each change of it. */
  readonly share: readonly (readonly [atMs: number, share: number])[]
  readonly links: readonly LinkRow[]
  readonly checks: readonly CheckRow[]
  readonly events: number
  /** One hash over everything that happened. */
  readonly digest: string
}

export interface ZoneRow {
  readonly path: string
  readonly name: string
  readonly depth: number
  readonly privacy: boolean
  readonly hosts: readonly string[]
}

export interface SiteRow {
  readonly name: string
  readonly path: string
  readonly depth: number
  readonly hosts: readonly string[]
  /** One after the other, without gaps. */
  readonly ran: readonly RunSpan[]
  /** When its hosts took a version that was handed to them, the last of them. */
  readonly accepted: readonly { readonly atMs: number; readonly version: string }[]
  /** When the tower had heard nothing of it for more than a minute. */
  readonly unheard: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** When it ran the second application, which goes where its label is, on every host. */
  readonly guest: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** What ran at a site for a while. */
export interface RunSpan {
  readonly fromMs: number
  readonly toMs: number
  /** The version the most hosts ran; empty when none ran any. */
  readonly version: string
  readonly running: number
  /** Hosts that ran another version than that. */
  readonly others: number
}

export interface DoneStep {
  readonly kind: 'cut' | 'power' | 'clock' | 'label' | 'heal' | 'upgrade' | 'rollback'
  readonly atMs: number
  /** When it was healed; of `cut`, `power`, `clock` and `label`. */
  readonly endMs: number | undefined
  /** As it was named; empty where a step has none. */
  readonly target: string
  readonly targetKind: 'zone' | 'site' | 'host' | 'all' | ''
  readonly sites: readonly string[]
  readonly machines: readonly string[]
  /** Of an upgrade or rollback. */
  readonly version: string
  /** What a clock was set to, in milliseconds since 1970. */
  readonly readsMs: number | undefined
  /** Why nobody confirmed that it was done; undefined when the tower did. */
  readonly refused: string | undefined
  /** How long the tower took to answer. */
  readonly answeredMs: number | undefined
}

/** A node and who is above it. */
export interface LinkRow {
  readonly child: string
  readonly parent: string
  /** The scope of the child: its policy says what leaves. */
  readonly scope: string
  readonly upBytes: number
  readonly downBytes: number
  readonly kinds: readonly { readonly kind: string; readonly upBytes: number; readonly downBytes: number }[]
  /** Kinds the border between them lets nothing of out; none within a zone. */
  readonly withheld: readonly string[]
  /** Kinds of which only a summary leaves. */
  readonly summarised: readonly string[]
}

export interface CheckRow {
  /** Number of the invariant. */
  readonly invariant: number
  readonly sentence: string
  /** How often there was something to judge. */
  readonly judged: number
  readonly violations: readonly string[]
}

/** What an operator asks for. */
export const operations = [
  'apply',
  'upgrade',
  'rollback',
  'status',
  'explain',
  'logs',
  'exec',
  'conflicts',
  'enrol a replacement host',
  'reboot',
] as const
export type Operation = (typeof operations)[number]

/** What is the matter meanwhile. */
export const conditions = ['tower away', 'aggregator away', 'alone', 'rebooted alone', 'clock wrong'] as const
export type Condition = (typeof conditions)[number]

/** What has to come of it at one node. */
export interface Must {
  /** Node at which it is asked. */
  readonly at: string
  /** Words of the refusal; absent where it has to work. */
  readonly refusal?: RegExp
  /** Sites at which it has to show, for what changes something. @default those the node asked can reach */
  readonly seenAt?: readonly string[]
  /** Sites at which it has to show once everybody is back. @default none */
  readonly laterAt?: readonly string[]
  /** Why that is what must come of it. @default it works as if nobody were away */
  readonly why?: string
}

const aggregator = 'north-aggregator'
const host = 'n2-a'
const inZone = ['n1', 'n2']

const siteCannotChange: Must = {
  at: host,
  refusal: /configuration is changed at a tower or at an aggregator; here it can only be read/,
  why: 'refused: a site by itself changes nothing in this release, an aggregator does',
}
const siteCannotRollBack: Must = { ...siteCannotChange, refusal: /this is done at a tower or an aggregator/ }
const here = (why?: string): Must => ({ at: host, ...(why && { why }) })
const nobodyEnrols: Must = {
  at: host,
  refusal: /enrols nobody: ask its parent/,
  why: 'refused: who belongs to a site is the word of its parent, which is away',
}

/** Asked at the host itself, which has nobody but itself. */
const onItsOwn = {
  apply: [siteCannotChange],
  upgrade: [siteCannotChange],
  rollback: [siteCannotRollBack],
  status: [here()],
  explain: [here()],
  logs: [here()],
  exec: [here()],
  conflicts: [here('a site is told one word alone: it says that there is no conflict')],
  'enrol a replacement host': [nobodyEnrols],
  reboot: [here('starts what it accepted last from its own disk')],
} as const satisfies Readonly<Record<Operation, readonly Must[]>>

/** Every operation under every condition: at which nodes it is asked, and what each must answer. */
export const matrix: Readonly<Record<Condition, Readonly<Record<Operation, readonly Must[]>>>> = {
  'tower away': {
    apply: [{ at: aggregator, seenAt: inZone, why: 'the zone changes it by itself, in its local lane' }],
    upgrade: [{ at: aggregator, seenAt: inZone, why: 'the zone changes it by itself, in its local lane' }],
    rollback: [{ at: aggregator, seenAt: inZone }],
    status: [{ at: aggregator }],
    explain: [{ at: aggregator }],
    logs: [{ at: aggregator }],
    exec: [{ at: aggregator }],
    conflicts: [{ at: aggregator }],
    'enrol a replacement host': [{ at: aggregator, why: 'the zone admits its own hosts' }],
    reboot: [{ at: aggregator }],
  },
  'aggregator away': {
    apply: [
      {
        at: 'tower',
        seenAt: ['s1'],
        laterAt: inZone,
        why: 'accepted at the tower; the zone that is away gets it when it is back',
      },
      siteCannotChange,
    ],
    upgrade: [
      { at: 'tower', seenAt: ['s1'], why: 'accepted at the tower for all that can be reached' },
      siteCannotChange,
    ],
    rollback: [{ at: 'tower', seenAt: ['s1'] }, siteCannotRollBack],
    status: [{ at: 'tower', why: 'at the tower with the age of what it heard last' }, here()],
    explain: [here()],
    logs: [
      { at: 'tower', refusal: /n2-a cannot be asked now/, why: 'refused at the tower: the way to the host is gone' },
      here(),
    ],
    exec: [
      { at: 'tower', refusal: /n2-a cannot be asked now/, why: 'refused at the tower: the way to the host is gone' },
      here(),
    ],
    conflicts: [{ at: 'tower' }, here()],
    'enrol a replacement host': [
      {
        at: 'tower',
        refusal: /cannot be asked now/,
        why: 'refused: the zone admits its own hosts, and it is away',
      },
      nobodyEnrols,
    ],
    reboot: [here('starts what it accepted last from its own disk')],
  },
  alone: onItsOwn,
  'rebooted alone': onItsOwn,
  'clock wrong': {
    apply: [{ at: 'tower', seenAt: [...inZone, 's1'] }],
    upgrade: [{ at: 'tower', seenAt: [...inZone, 's1'] }],
    rollback: [{ at: 'tower', seenAt: [...inZone, 's1'] }],
    status: [{ at: 'tower' }, here()],
    explain: [{ at: 'tower' }, here()],
    logs: [{ at: 'tower' }, here()],
    exec: [{ at: 'tower' }, here()],
    conflicts: [{ at: 'tower' }],
    'enrol a replacement host': [{ at: aggregator, why: 'dates are judged by the parent, never by the host itself' }],
    reboot: [{ at: aggregator }],
  },
}

/** What came of one cell at one node. */
export interface Outcome {
  /** Whether it did what was asked. */
  readonly ok: boolean
  /** What it showed, or its refusal. */
  readonly text: string
}

/** Why an outcome is not what it must be; undefined where it is. Pure. */
export const wrongIn = ({ refusal, at }: Must, { ok, text }: Outcome): string | undefined => {
  const short = text.trim().split('\n').slice(0, 3).join(' / ').slice(0, 400)
  if (refusal === undefined) return ok ? undefined : `at ${at} it did not work: ${short}`
  if (ok) return `at ${at} it was not refused: ${short}`
  return refusal.test(text) ? undefined : `at ${at} it was refused in other words: ${short}`
}

export const cellName = (operation: Operation, condition: Condition): string => `${operation} × ${condition}`

/** What a row says beside its numbers. Pure. */
export const cellWords = (musts: readonly Must[], broken: readonly string[]): string => {
  if (broken.length > 0) return broken.join('; ')
  return [...new Set(musts.map(({ at, why = 'works' }) => `at ${at}: ${why}`))].join('; ')
}

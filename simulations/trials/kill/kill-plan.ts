import type { Random } from '../../../base/index.ts'

export interface Killable {
  readonly name: string
  readonly role: string
}

/** What one round does, drawn before it is done. */
export interface KillPlan {
  /** Names of nodes, killed at one moment. */
  readonly victims: readonly string[]
  /** Time from the first change of the round to the kill. */
  readonly delayMs: number
  /** Time from the kill to the first start: one change or several are made meanwhile, where the tower lives. */
  readonly awayMs: number
  /** How the dead are started: the whole tree at once, or one node after another. */
  readonly start: 'tree' | 'nodes'
  /** A node that starts is killed half way, after this time. */
  readonly againMs?: number
}

/** From before the first step of a change to after its last. */
const maxDelayMs = 1_500
const shortAwayMs = 1_000
const longAwayMs = 6_000
/** From the first line of a program to after its first link. */
const maxAgainMs = 1_500

const pick = <Value>(random: Random, values: readonly Value[]): Value => {
  const value = values[Math.floor(random.unit() * values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

const howMany = (random: Random, most: number): number => {
  const unit = random.unit()
  if (unit < 0.7) return 1
  return unit < 0.96 ? Math.min(most, 2 + Math.floor(random.unit() * 3)) : most
}

/** Draws one round. Towers, aggregators and edges are hit equally often, however many there are. */
export const drawKill = (random: Random, nodes: readonly Killable[]): KillPlan => {
  const role = pick(random, [...new Set(nodes.map((node) => node.role))].toSorted())
  const ofRole = nodes.filter((node) => node.role === role)
  const victims = new Set([pick(random, ofRole).name])
  const count = howMany(random, nodes.length)
  while (victims.size < count) victims.add(pick(random, nodes).name)
  const isLong = random.unit() < 0.2
  const isAgain = random.unit() < 0.2
  const againMs = random.unit() * maxAgainMs
  return {
    victims: [...victims],
    delayMs: Math.round(random.unit() * maxDelayMs),
    awayMs: Math.round(random.unit() * (isLong ? longAwayMs : shortAwayMs)),
    start: random.unit() < 0.5 ? 'tree' : 'nodes',
    ...(isAgain && { againMs: Math.round(againMs) }),
  }
}

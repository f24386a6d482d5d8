import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Guard } from './guard.ts'
import { guards } from './guards/index.ts'
import { createWholeRuns, invariantsIn, proveGuard } from './prove-guard.ts'
import { calm } from './scenes.ts'

/** A few that are caught early in a run: `npm run simulate -- --prove` takes out all of them. */
const quick = ['lanes-by-policy', 'reports-by-policy', 'records-on-the-way', 'placed-sites-only', 'unchanged-stays']

for (const name of quick)
  test.serial(`without ${name} a checker finds what is broken`, async (t) => {
    const guard = guards.find((one) => one.name === name)
    t.truthy(guard)
    if (guard) t.like(await proveGuard(guard, createWholeRuns()), { name, caught: true })
  })

test.serial('a guard that guards nothing is not caught', async (t) => {
  const nothing: Guard = {
    name: 'nothing',
    invariant: 1,
    protects: 'nothing',
    takeOut: (_machine, powers) => powers,
    trials: [{ scenario: calm, seeds: [1] }],
  }
  t.like(await proveGuard(nothing, createWholeRuns()), { caught: false, tried: 1, found: [] })
})

test.serial('a run that is broken with every guard in place proves nothing', async (t) => {
  const leak: Guard = {
    name: 'leak',
    invariant: 1,
    protects: 'nothing',
    takeOut: (_machine, powers) => powers,
    trials: [
      {
        scenario: calm,
        seeds: [1],
        attack: () => (machine, powers) => {
          if (machine === 'east') powers.log.info('heard of q7-n1a-7q')
          return powers
        },
      },
    ],
  }
  const { caught, found } = await proveGuard(leak, createWholeRuns())
  t.false(caught)
  t.regex(found[0] ?? '', /^with every guard in place: invariant 1: q7-n1a-7q was said in the log of east/)
})

test('guards have names of their own, a sentence each, and runs', (t) => {
  t.is(new Set(guards.map(({ name }) => name)).size, guards.length)
  for (const { name, protects, trials } of guards) {
    t.true(protects.length > 20, name)
    t.true(
      trials.some(({ seeds }) => seeds.length > 0),
      name,
    )
  }
})

test('invariants are read from what a run found, line by line', (t) => {
  t.deepEqual(
    [...invariantsIn(['not as wanted:\n    invariant 3: a lacks b\n    invariant 6: c', 'invariant 10: d', 'e'])],
    [3, 6, 10],
  )
})

const node = join(import.meta.dirname, '..', '..', 'node')
const sources = readdirSync(node, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(node, name), 'utf8') }))

test('no option, file or variable of a node reaches its guards', (t) => {
  for (const { name, text } of sources) {
    t.notRegex(text, /simulations\//, `${name} reaches a simulation`)
    // What starts a node, reads its configuration or answers for it does not know the word.
    if (/^(bin|cli|api|powers|local-tree)\/|config|founding/.test(name)) t.notRegex(text, /\bguards?\b/i, name)
    // Nobody makes the object: it is declared, handed on, and asked.
    if (name !== 'guards.ts') t.notRegex(text, /\bguards\s*[:=]\s*\{/, name)
  }
})

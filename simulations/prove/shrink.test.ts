import test from 'ava'
import { guards } from './guards/index.ts'
import { invariantsIn } from './prove-guard.ts'
import { noisy } from './scenes.ts'
import { shrink } from './shrink.ts'
import { runSmall } from './small-run.ts'

test.serial(
  'a run that fails for one guard is made smaller until only what it needs is left, and fails again',
  async (t) => {
    const guard = guards.find(({ name }) => name === 'unchanged-stays')
    if (!guard) return t.fail('there is no such guard')
    const request = { scenario: noisy, seed: 3, doctor: () => guard.takeOut }
    const shrunk = await shrink(request, () => {})
    if (!shrunk) return t.fail('nothing was broken')
    t.is(shrunk.invariant, 4)
    t.true(shrunk.small.faults.length < shrunk.whole.faults || shrunk.whole.faults === 0)
    // A version goes out, then another one: that is all it takes.
    t.true(shrunk.small.moves.length <= 3, shrunk.story.join('\n'))
    t.true(shrunk.result.nodes < shrunk.whole.nodes)
    t.true(
      shrunk.story.some((line) => /operator (upgrade|rollback) /.test(line)),
      shrunk.story.join('\n'),
    )
    const again = await runSmall(shrunk.small, request)
    t.true(invariantsIn(again.violations).has(4))
    t.is(again.digest, shrunk.result.digest)
    return undefined
  },
)

test.serial('a run that breaks nothing is not made smaller', async (t) => {
  t.is(await shrink({ scenario: { ...noisy, faults: [], harmMs: 20_000 }, seed: 1 }, () => {}), undefined)
})

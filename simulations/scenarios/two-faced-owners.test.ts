import test from 'ava'
import { twoFacedOwners } from './catalogue/two-faced-owners.ts'
import { runScenario } from './run-scenario.ts'

const holds = async (t: { deepEqual(a: unknown, b: unknown): void }, seed: number) =>
  t.deepEqual((await runScenario(twoFacedOwners, { seed })).violations, [])

// A host had accepted by the fence of a change that a proof took back, and refused what came with that fence anew as older.
test.serial('a site follows its lane also where a proof or a seal takes a fence back that it had accepted', (t) =>
  holds(t, 1),
)

// The owner's change that stood on one signed twice did not count any more; the owner wrote nothing in the lane from then on.
test.serial('an owner goes on writing after what it built on was signed twice', (t) => holds(t, 10))

// The owner wrote under a seal that lost, and took the other one a moment later. A site that held the other one had the change
// in its epoch, where it waits in vain, and as late; the others had it as late. They were held to differ, though all came to
// the same and listed it.
test('a change of a seal that lost is late at all, also where one has it in its epoch too', (t) => holds(t, 20_029))

// Two changes of one number stood on one that did not count any more, and each had come to another site: no head told of them,
// so all took each other for equal. The same held for a proof that one node held alone: the owner never heard of it.
test.serial('what an owner signs twice on top of what does not count comes to all', (t) => holds(t, 1542))

// An application was deployed and removed in an epoch that lost to another seal: nothing of it stood in the lane any more, so
// there was nothing to take back, and a site that had accepted it ran it on.
test.serial('what a site was told to run by a change that is late now is taken back', (t) => holds(t, 2678))

// One site alone was given a change that stands on the beginning of an epoch that had lost. It was held to be one that all lack.
test.serial('a change that can count nowhere need not come to all', (t) => holds(t, 3558))

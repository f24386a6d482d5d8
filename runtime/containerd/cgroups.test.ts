import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import {
  cgroupChildren,
  cgroupDirectories,
  cgroupLayout,
  cgroupPids,
  countsSwap,
  exitReason,
  oomKills,
  parseCounters,
  removeCgroup,
} from './cgroups.ts'

const recorded = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))
const of = (container: string): string => `/skerry/edge-1/acme/${container}`

test('the layout is told from the files at the root', (t) => {
  t.is(cgroupLayout(recorded('cgroup-v2')), 'v2')
  t.is(cgroupLayout(recorded('cgroup-v1')), 'v1')
  t.is(cgroupLayout(recorded('cgroup-hybrid')), 'hybrid')
})

test('kills for want of memory are counted in v2', (t) => {
  const count = (container: string) => oomKills('v2', of(container), recorded('cgroup-v2'))
  t.is(count('calm-1'), 0)
  t.is(count('starved-1'), 1)
  t.is(count('child-starved-1'), 2)
  t.is(count('gone-1'), undefined)
})

test('kills for want of memory are counted in v1', (t) => {
  t.is(oomKills('v1', of('starved-1'), recorded('cgroup-v1')), 1)
  t.is(oomKills('hybrid', of('starved-1'), recorded('cgroup-v1')), 1)
  t.is(oomKills('v1', of('gone-1'), recorded('cgroup-v1')), undefined)
})

test('counters are read line by line and anything else is passed over', (t) => {
  t.deepEqual(
    [...parseCounters('low 0\noom_kill 3\n\nodd\nmax max\n')],
    [
      ['low', 0],
      ['oom_kill', 3],
    ],
  )
})

test('a reason is never guessed from 137 alone', (t) => {
  t.is(exitReason(137, 0), 'killed')
  t.is(exitReason(137, undefined), 'killed')
  t.is(exitReason(137, 1), 'oom')
  t.is(exitReason(143, 0), 'killed')
  t.is(exitReason(1, 0), 'exited')
  t.is(exitReason(1, 2), 'oom')
  t.is(exitReason(0, 2), 'exited')
  t.is(exitReason(255, 0), 'exited')
})

test('swap is bounded only where the kernel counts it', async (t) => {
  t.true(await countsSwap('v2', recorded('cgroup-v2')))
  t.false(await countsSwap('v2', recorded('cgroup-v2-no-swap')))
  t.true(await countsSwap('v1', recorded('cgroup-v1')))
  t.false(await countsSwap('hybrid', recorded('cgroup-hybrid')))
})

test('processes below a node are found in every tree, each once', async (t) => {
  t.deepEqual(await cgroupPids('/skerry/edge-1', recorded('cgroup-v2')), [4242, 4250])
  t.deepEqual(await cgroupPids('/skerry/edge-1', recorded('cgroup-v1')), [77])
  t.deepEqual(await cgroupPids('/skerry/other', recorded('cgroup-v1')), [])
})

test('cgroups below one are named once, whatever the tree', async (t) => {
  t.deepEqual(await cgroupChildren('/skerry/edge-1/acme', recorded('cgroup-v1')), ['starved-1'])
  t.deepEqual(await cgroupChildren('/skerry/edge-1/acme', recorded('cgroup-v2')), [
    'calm-1',
    'child-starved-1',
    'starved-1',
  ])
  t.deepEqual(await cgroupChildren('/skerry/none', recorded('cgroup-v1')), [])
})

test('a cgroup is removed with all below it, in every tree, and again without complaint', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'cgroup-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  await cp(recorded('cgroup-v1'), root, { recursive: true })
  // The kernel's control files go with their directory; recorded ones do not.
  for (const tree of await cgroupDirectories('/skerry/edge-1/acme/starved-1', root))
    for (const file of await readdir(tree)) await rm(join(tree, file))
  await removeCgroup('/skerry/edge-1', root)
  t.deepEqual(await cgroupDirectories('/skerry/edge-1', root), [])
  t.is((await cgroupDirectories('/skerry', root)).length, 2)
  await t.notThrowsAsync(removeCgroup('/skerry/edge-1', root))
})

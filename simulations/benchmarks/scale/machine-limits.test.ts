import test from 'ava'
import { lackingOf, needsOf } from './machine-limits.ts'

const plenty = { filesPerProcess: 1e6, files: 1e7, ports: 50_000, memoryBytes: 1e12, diskBytes: 1e12 }

test('a machine with plenty lacks nothing', (t) => {
  t.deepEqual(lackingOf(needsOf(10_000, 20, 500), plenty), [])
})

test('each thing that is short is named with what to set', (t) => {
  const needs = needsOf(1_000, 2, 500)
  t.deepEqual(
    lackingOf(needs, { ...plenty, filesPerProcess: 256 }).map((line) => line.replace(/^.*: /, '')),
    [`ulimit -n ${needs.filesPerProcess}`],
  )
  const none = { filesPerProcess: 0, files: 0, ports: 0, memoryBytes: 0, diskBytes: 0 }
  t.is(lackingOf(needs, none).length, 5)
})

test('more sites need more of everything the machine has one of', (t) => {
  const [small, large] = [needsOf(100, 1, 100), needsOf(10_000, 20, 500)]
  t.true(large.files > small.files && large.ports > small.ports && large.memoryBytes > small.memoryBytes)
})

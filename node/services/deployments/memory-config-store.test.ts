import test from 'ava'
import { configStoreContract } from './config-store.contract.ts'
import { createMemoryConfigStore } from './memory-config-store.ts'
import { sampleDeployment, sampleRevision } from './sample-config.ts'

configStoreContract(test, 'memory', async () => createMemoryConfigStore())

test('what a store holds can be written down, and another goes on from it', async (t) => {
  const store = createMemoryConfigStore()
  await store.putApplication(sampleRevision())
  await store.putDeployment(sampleDeployment(), 5)
  await store.putIntents([
    { site: 'n1', application: 'shop', deployment: 'shop-all', version: '', revision: 'r', phase: 'run' },
  ])
  const state = JSON.parse(JSON.stringify(store.state()))
  const copy = createMemoryConfigStore({ state })
  t.deepEqual(copy.state(), store.state())
  await copy.removeDeployment('shop-all')
  t.is((await store.listDeployments()).length, 1)
  t.true(copy.state().order > store.state().order)
})

test('a change that cannot be kept never happened', async (t) => {
  let full = false
  const store = createMemoryConfigStore({
    commit: () => {
      if (full) throw new Error('disk full')
    },
  })
  await store.putApplication(sampleRevision())
  const before = store.state()
  full = true
  await t.throwsAsync(store.putDeployment(sampleDeployment(), 5), { message: 'disk full' })
  await t.throwsAsync(store.removeApplication('shop'), { message: 'disk full' })
  t.deepEqual(store.state(), before)
})

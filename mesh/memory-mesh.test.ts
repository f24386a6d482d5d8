import test from 'ava'
import { createLog, type LogLine } from '../base/index.ts'
import { createMemoryNetwork } from './memory-mesh.ts'
import { meshContract } from './mesh.contract.ts'
import { MeshError } from './mesh-error.ts'

meshContract(test, 'memory', async () => {
  const network = createMemoryNetwork()
  const [nearKey, farKey] = ['aa'.repeat(32), 'bb'.repeat(32)] as const
  const farLog: LogLine[] = []
  return {
    near: network.createMesh(nearKey),
    far: network.createMesh(farKey, 'far', { log: createLog((line) => void farLog.push(line)) }),
    newer: network.createMesh('cc'.repeat(32), undefined, { version: 2 }),
    nearKey,
    farKey,
    farLog,
    address: 'far',
    cut: () => network.cut(nearKey, farKey),
  }
})

test('two nodes cannot listen at one address', async (t) => {
  const network = createMemoryNetwork()
  await network.createMesh('one', 'here').start()
  const error = await t.throwsAsync(network.createMesh('two', 'here').start(), { instanceOf: MeshError })
  t.is((error as MeshError).code, 'address-in-use')
})

import test from 'ava'
import { createMemoryNetwork } from './memory-mesh.ts'
import { meshContract } from './mesh.contract.ts'
import { MeshError } from './mesh-error.ts'

meshContract(test, 'memory', async () => {
  const network = createMemoryNetwork()
  return {
    near: network.createMesh('near'),
    far: network.createMesh('far', 'far'),
    address: 'far',
    cut: () => network.cut('near', 'far'),
  }
})

test('two nodes cannot listen at one address', async (t) => {
  const network = createMemoryNetwork()
  await network.createMesh('one', 'here').start()
  const error = await t.throwsAsync(network.createMesh('two', 'here').start(), { instanceOf: MeshError })
  t.is((error as MeshError).code, 'address-in-use')
})

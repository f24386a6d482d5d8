import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { createMemoryDisk } from './memory-store.ts'
import { storeContract } from './store.contract.ts'

storeContract(test, 'memory', async () => {
  const disk = createMemoryDisk()
  return {
    store: disk.store,
    damage: async (key) => disk.damage(key, createSeededRandom(1)),
    setFormat: async (format) => disk.setFormat(format),
  }
})

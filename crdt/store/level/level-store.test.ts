import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Level } from 'level'
import { silentLog } from '../../../base/index.ts'
import { storeContract } from '../store.contract.ts'
import { encodeFormat, formatKey } from '../stored-value.ts'
import { createLevelStore } from './index.ts'

const temporaryFolder = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const behind = async (folder: string, work: (raw: Level<string, Uint8Array>) => Promise<void>) => {
  const raw = new Level<string, Uint8Array>(folder, { valueEncoding: 'view' })
  await raw.open()
  await work(raw)
  await raw.close()
}

storeContract(test, 'level', async (t) => {
  const folder = await temporaryFolder(t)
  return {
    store: () => createLevelStore(folder, { log: silentLog }),
    damage: (key) =>
      behind(folder, async (raw) => {
        const stored = Uint8Array.from((await raw.get(key)) ?? [])
        stored[stored.length - 1]! ^= 4
        await raw.put(key, stored)
      }),
    setFormat: (format) => behind(folder, (raw) => raw.put(formatKey, encodeFormat(format))),
  }
})

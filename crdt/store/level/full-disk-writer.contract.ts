import { createSeededRandom, silentLog } from '../../../base/index.ts'
import { createLevelStore } from './index.ts'

/** A process under a limit of file sizes: prints what became of each step, then dies without closing. */
const [folder = ''] = process.argv.slice(2)
const store = createLevelStore(folder, { log: silentLog, writeBufferBytes: 256 * 1024 })
const say = (text: string) => process.stdout.write(`${text}\n`)
const write = (key: string, sizeBytes: number) =>
  store.write([{ kind: 'put', key, value: createSeededRandom(key.length).bytes(sizeBytes) }], { sync: true }).then(
    () => say(`${key} written`),
    (error) => say(`${key} ${error.code}: ${error.message.replace(folder, 'FOLDER')}`),
  )

await store.open()
await write('before', 100)
await write('much', 3 * 2 ** 20)
say(`before has ${(await store.get('before'))?.length}, much has ${(await store.get('much'))?.length}`)
await Promise.all([write('after', 100), write('too much', 3 * 2 ** 20), write('at once', 100)])
await write('at last', 100)
process.kill(process.pid, 'SIGKILL')

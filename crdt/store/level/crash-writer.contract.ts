import { silentLog } from '../../../base/index.ts'
import { createLevelStore } from './index.ts'

/**
 * A process to be killed: writes batch after batch, synced, and prints the number of each that was acknowledged.
 * `node crash-writer.contract.ts <folder> <first number>`
 */
const [folder = '', first = '0'] = process.argv.slice(2)
const store = createLevelStore(folder, { log: silentLog, writeBufferBytes: 64 * 1024 })
await store.open()
process.stdout.write('open\n')
for (let at = Number(first); ; at++) {
  const value = new TextEncoder().encode(`${at} `.repeat(1 + ((at * 37) % 400)))
  const changes = Array.from({ length: 5 }, (_, part) => ({ kind: 'put', key: `n/${at}/${part}`, value }) as const)
  await store.write([...changes, { kind: 'put', key: 'last', value }], { sync: true })
  process.stdout.write(`${at}\n`)
}

import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import type { NetworkSpec } from '../containers.ts'

const port = z.int().min(1).max(65_535)

/** One network as it is kept on disk, format 1. Written before anything is made, so that nothing is ever forgotten. */
const networkRecord = z.object({
  v: z.literal(1),
  tenant: z.string(),
  instance: z.string(),
  networkHash: z.string(),
  ports: z.array(z.object({ protocol: z.enum(['tcp', 'udp']), containerPort: port, hostPort: port })),
  /** Empty until it is attached. */
  addresses: z.array(z.string()),
})
export type NetworkRecord = z.infer<typeof networkRecord>

/** A short name of an instance's network: the CNI container id, the record's and the namespace's file name. */
export const networkKey = (tenant: string, instance: string): string =>
  createHash('sha256').update(`${tenant}/${instance}`).digest('hex').slice(0, 16)

export const recordOf = (spec: NetworkSpec, addresses: readonly string[]): NetworkRecord => ({
  v: 1,
  tenant: spec.tenant,
  instance: spec.instance,
  networkHash: spec.networkHash,
  ports: spec.ports.map((mapping) => ({ ...mapping })),
  addresses: [...addresses],
})

/** Network records in `directory`, one file each. */
export const createNetworkRecords = (directory: string) => {
  const fileOf = (key: string) => `${directory}/${key}.json`
  const parse = (text: string): NetworkRecord | undefined => {
    try {
      return networkRecord.safeParse(JSON.parse(text)).data
    } catch {
      return undefined
    }
  }
  const read = async (key: string): Promise<NetworkRecord | undefined> => {
    const text = await readFile(fileOf(key), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : parse(text)
  }
  const write = async (key: string, record: NetworkRecord): Promise<void> => {
    await mkdir(directory, { recursive: true })
    // Not synced: a power cut takes the network itself too, and a record cut short reads as none.
    await writeFile(`${fileOf(key)}.new`, JSON.stringify(record))
    await rename(`${fileOf(key)}.new`, fileOf(key))
  }
  const keys = async (): Promise<string[]> =>
    (await readdir(directory).catch(() => []))
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .toSorted()
  const has = async (key: string): Promise<boolean> => (await keys()).includes(key)
  return { read, has, write, remove: (key: string) => rm(fileOf(key), { force: true }), keys }
}

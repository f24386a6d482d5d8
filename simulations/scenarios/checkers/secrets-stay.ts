import type { DiskWrite } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { readStateFile } from '../state-files.ts'

/** A secret in the forms it could be found in. */
interface Secret {
  readonly file: string
  readonly hex: string
  readonly bytes: Buffer
}

const seedPattern = /^[0-9a-f]{64}$/

/** Values of the fields called `seed` of a state file: what keys are made of. */
const seedsOf = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
    key === 'seed' && typeof one === 'string' && seedPattern.test(one) ? [one] : seedsOf(one),
  )
}

const statePrefix = 'state/'

/**
 * The keys of a machine lie in the state files they were made in, and nowhere else: not in its store, its blobs, its other
 * files, its log, nor in any frame it sends.
 */
export const secretsStay: MakeChecker = () => {
  const secrets = new Map<string, Secret[]>()
  const violations: string[] = []
  let seen = 0

  const learn = (machine: string, { name, bytes }: DiskWrite) => {
    if (typeof bytes !== 'string' || !bytes.includes('"seed"')) return
    const known = secrets.get(machine) ?? []
    secrets.set(machine, known)
    for (const hex of seedsOf(readStateFile<unknown>(bytes)))
      if (known.every((one) => one.hex !== hex)) known.push({ file: name, hex, bytes: Buffer.from(hex, 'hex') })
  }
  const search = (machine: string, content: Uint8Array | string, where: string, file?: string) => {
    const own = secrets.get(machine)
    if (!own) return
    seen++
    const bytes =
      typeof content === 'string' ? undefined : Buffer.from(content.buffer, content.byteOffset, content.length)
    for (const secret of own) {
      if (secret.file === file) continue
      const isThere =
        bytes === undefined
          ? (content as string).includes(secret.hex)
          : bytes.includes(secret.bytes) || bytes.includes(secret.hex, 0, 'latin1')
      if (isThere) violations.push(`a key in ${secret.file} of ${machine} ${where}`)
    }
  }
  return {
    invariant: 10,
    sentence: 'no secret value appears in a document, log, error or report',
    observer: {
      write: (machine, write) => {
        if (write.name.startsWith(statePrefix)) learn(machine, write)
        search(machine, write.bytes, `was written to ${write.name}`, write.name)
      },
      frame: ({ from, to, frame }) => search(from, frame.payload, `was sent to ${to}`),
      log: (machine, { message, fields }) =>
        search(machine, `${message} ${JSON.stringify(fields)}`, 'was said in its log'),
      died: (machine, error) => search(machine, String(error), 'was said in an error'),
    },
    violations: () => violations,
    seen: () => seen,
  }
}

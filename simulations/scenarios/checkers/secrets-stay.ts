import type { LogLine } from '../../../base/index.ts'
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
/** So many keys of a machine are looked for, the newest. */
const mostSecrets = 16

/** A one-time token as `node/services/membership` writes it: whom it is for is part of it. */
const tokenPattern = /skj1_([0-9a-f]{32})_([a-z0-9-]{1,63})_[0-9a-f]{32}/
const tokenStart = 'skj1_'

/** A token in some bytes or text: its issuer by the first digits of its key, and the host it is for. */
const tokenIn = (content: Uint8Array | string): { readonly issuer: string; readonly host: string } | undefined => {
  let text = ''
  if (typeof content === 'string') text = content.includes(tokenStart) ? content : ''
  else {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
    if (bytes.includes(tokenStart)) text = bytes.toString('latin1')
  }
  const [, issuer, host] = tokenPattern.exec(text) ?? []
  return issuer === undefined || host === undefined ? undefined : { issuer, host }
}
/** A key of a store that is there once a node was admitted. */
const admittedKey = 'm/self'
/** Whose certificate, or what it hangs on, rotted on its disk does not know that it is a member: its log says so before it calls. */
const isLostRecord = ({ part, level }: LogLine): boolean => level === 'warn' && part === 'node.book'

/**
 * The keys of a machine lie in the state files they were made in, and nowhere else: not in its store, its blobs, its other
 * files, its log, nor in any frame it sends. A token to join with passes from the host it is for to who made it, until that
 * host is a member, and is nowhere else.
 */
export const secretsStay: MakeChecker = ({ world }) => {
  const secrets = new Map<string, Secret[]>()
  const violations: string[] = []
  let seen = 0

  const learn = (machine: string, { name, bytes }: DiskWrite) => {
    if (typeof bytes !== 'string' || !bytes.includes('"seed"')) return
    const known = secrets.get(machine) ?? []
    secrets.set(machine, known)
    // Not Buffer.from: a small one is a part of a pool, and keeps all of that.
    for (const hex of seedsOf(readStateFile<unknown>(bytes)))
      if (known.every((one) => one.hex !== hex))
        known.push({ file: name, hex, bytes: Buffer.alloc(hex.length / 2, hex, 'hex') })
    // Keys of a machine that was replaced long ago went with its disk.
    known.splice(0, known.length - mostSecrets)
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
  const forgetful = new Set<string>()
  const searchToken = (content: Uint8Array | string, where: string) => {
    const found = tokenIn(content)
    if (found) violations.push(`a token for ${found.host} ${where}`)
  }
  const judgeTokenOnWire = (from: string, to: string, payload: Uint8Array) => {
    const token = tokenIn(payload)
    if (!token) return
    seen++
    const isMember = world.machine(from).disk.names().stored.includes(admittedKey)
    const isToIssuer = world.machine(to).signer()?.keyId.startsWith(token.issuer) === true
    if (token.host !== from || !isToIssuer) violations.push(`a token for ${token.host} was sent from ${from} to ${to}`)
    else if (isMember && !forgetful.has(from)) violations.push(`${from} sent its token to ${to} though it is a member`)
  }
  return {
    invariant: 10,
    sentence: 'no secret value appears in a document, log, error or report',
    observer: {
      write: (machine, write) => {
        if (write.name.startsWith(statePrefix)) learn(machine, write)
        search(machine, write.bytes, `was written to ${write.name}`, write.name)
        searchToken(write.bytes, `was written to ${write.name} of ${machine}`)
      },
      frame: ({ from, to, frame }) => {
        search(from, frame.payload, `was sent to ${to}`)
        judgeTokenOnWire(from, to, frame.payload)
      },
      log: (machine, line) => {
        const { message, fields } = line
        if (isLostRecord(line)) forgetful.add(machine)
        const text = `${message} ${JSON.stringify(fields)}`
        search(machine, text, 'was said in its log')
        searchToken(text, `was said in the log of ${machine}`)
      },
      died: (machine, error) => {
        search(machine, String(error), 'was said in an error')
        searchToken(String(error), `was said in an error of ${machine}`)
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}
